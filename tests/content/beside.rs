//! Commands beside a running server, and beside whoever else writes.

use std::{process::Stdio, time::Duration};

use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection,
    sql_query, sql_types::Text,
};

use crate::{
    fine, home, refused,
    server::{DEADLINE, Home, retry},
};

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
    let items = body_of(&url);
    assert!(
        items.contains("\"key\":\"a\"") && items.contains("\"key\":\"b\""),
        "{items}"
    );
    fine(&home, &["content", "remove", "--table", "t", "--all"]);
    assert_eq!(body_of(&url), "[]");
    server.stop();
}

/// The body of an answer.
fn body_of(url: &str) -> String {
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
    let mut other = lock(&home);
    let mut import = home.command(&["content", "import", "a.csv", "--table", "t"]);
    let mut import = import.stdout(Stdio::null()).spawn().unwrap();
    let ended = retry(Duration::from_secs(1), || import.try_wait().unwrap());
    assert!(ended.is_none(), "it did not wait: {ended:?}");
    other.batch_execute("COMMIT").unwrap();
    let ended = retry(DEADLINE, || import.try_wait().unwrap());
    assert_eq!(ended.and_then(|status| status.code()), Some(0));
}

#[derive(QueryableByName)]
struct Noted {
    #[diesel(sql_type = Text)]
    said: String,
}

#[test]
fn what_was_done_past_the_api_is_in_the_record_of_who_did_what() {
    let home = home();
    home.write("a.csv", "key,body\na,1\nb,2\n");
    fine(&home, &["content", "import", "a.csv", "--table", "t"]);
    fine(&home, &["content", "remove", "--table", "t", "--key", "a"]);
    let path = home.path("bots.db");
    let mut reader = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let all = "SELECT subject || ' ' || action || ' ' || target AS said FROM actor_server_audit ORDER BY id";
    let noted: Vec<Noted> = sql_query(all).load(&mut reader).unwrap();
    let noted: Vec<_> = noted.into_iter().map(|row| row.said).collect();
    assert_eq!(
        noted,
        [
            "command line add_content t",
            "command line remove_content t"
        ]
    );
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
