//! Commands beside a running server, and beside whoever else writes.

use std::{
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};

use crate::{fine, home, refused, server::Home};

#[test]
fn a_server_at_work_has_what_is_imported_beside_it() {
    let home = home();
    let server = home.start();
    home.write("a.csv", "key,body\na,1\nb,2\n");
    let said = fine(&home, &["content", "import", "a.csv", "--table", "t"]);
    assert_eq!(
        said,
        "2 items into t: 2 added, 0 took the place of others\n"
    );
    let url = format!("http://{}/api/v1/content/t", server.address("api"));
    let items = ureq(&url);
    assert!(
        items.contains("\"key\":\"a\"") && items.contains("\"key\":\"b\""),
        "{items}"
    );
    fine(&home, &["content", "remove", "--table", "t", "--all"]);
    assert_eq!(ureq(&url), "[]");
    server.stop();
}

/// The body of an answer.
fn ureq(url: &str) -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { reqwest::get(url).await.unwrap().text().await.unwrap() })
}

fn lock(home: &Home) -> SqliteConnection {
    let path = home.path("bots.db");
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn an_import_waits_for_its_turn_to_write() {
    let home = home();
    home.write("a.csv", "body\n1\n");
    fine(&home, &["content", "import", "a.csv", "--table", "t"]);
    let (locked, is_locked) = channel();
    let mut other = lock(&home);
    locked.send(()).unwrap();
    thread::scope(|scope| {
        let importing = scope.spawn(|| {
            is_locked.recv().unwrap();
            let began = Instant::now();
            fine(&home, &["content", "import", "a.csv", "--table", "t"]);
            began.elapsed()
        });
        // Held for as long as the import is waited for: how long says the assertion, not the clock of this thread.
        thread::sleep(Duration::from_millis(700));
        other.batch_execute("COMMIT").unwrap();
        assert!(importing.join().unwrap() >= Duration::from_millis(500));
    });
}

#[test]
#[ignore = "waits for half a minute"]
fn an_import_that_does_not_get_its_turn_says_how_long_it_waited() {
    let home = home();
    home.write("a.csv", "body\n1\n");
    fine(&home, &["content", "import", "a.csv", "--table", "t"]);
    let other = lock(&home);
    let said = refused(&home, 1, &["content", "import", "a.csv", "--table", "t"]);
    assert!(said.contains("locked") && said.contains("30 s"), "{said}");
    drop(other);
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    let home = home();
    home.write("a.csv", "body\n1\n");
    fine(&home, &["content", "import", "a.csv", "--table", "t"]);
    home.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
    for arguments in [
        &["content", "import", "a.csv", "--table", "t"][..],
        &["content", "list", "--table", "t"],
        &["content", "export", "--table", "t"],
        &["preview", "post"],
    ] {
        let said = refused(&home, 1, arguments);
        assert!(said.contains("newer"), "{arguments:?}: {said}");
    }
}
