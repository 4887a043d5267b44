//! What knowledge tables cost on the store itself: `cargo bench --bench content`.
//!
//! Prints figures and judges nothing. A table of `BENCH_ITEMS` (1,000,000) is filled as SQL fills it, and one bot chooses from
//! it, again and again, as a run does: candidates, and a post of the first. With `DATABASE_URL` set to an empty PostgreSQL
//! database, all of it is done there too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark, run by hand"
)]

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use actor_server::{
    clock::Clock,
    domain::{
        bot::BotName,
        content::{ContentItem, ItemUse, Selection},
        post::Message,
        run::{ExecutionId, ReplicaId, Trigger},
    },
    store::{
        NewPost, Replica, StatePersistence, Write, Written, postgres::PostgresStore,
        sqlite::SqliteStore,
    },
};
use chrono::{DateTime, Utc};
use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use serde_json::json;

/// Choices that are timed in each case.
const CHOICES: usize = 2_000;

/// What the first half of the items is like, which is of the highest priority in every case but the first.
const CASES: [(&str, &str); 6] = [
    ("all alike, made at one moment", "0.5, NULL, NULL"),
    (
        "priorities all different",
        "(n * 7919 % 1000003) / 1000003.0, NULL, NULL",
    ),
    (
        "half used, of the highest priority",
        "CASE WHEN n <= HALF THEN 0.9 ELSE 0.5 END, NULL, NULL",
    ),
    (
        "half expired, of the highest priority",
        "CASE WHEN n <= HALF THEN 0.9 ELSE 0.5 END, NULL, CASE WHEN n <= HALF THEN 'PAST' END",
    ),
    (
        "half not to be posted yet, of the highest priority",
        "CASE WHEN n <= HALF THEN 0.9 ELSE 0.5 END, CASE WHEN n <= HALF THEN 'FUTURE' END, NULL",
    ),
    (
        "half used and half of the rest expired, by turns",
        "CASE WHEN n <= HALF THEN 0.9 ELSE 0.5 END, NULL, CASE WHEN n % 4 = 3 THEN 'PAST' END",
    ),
];

fn main() {
    // `cargo test --benches` passes this; there is nothing to test here.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let items: i64 = std::env::var("BENCH_ITEMS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        on_sqlite(items).await;
        if let Ok(url) = std::env::var("DATABASE_URL") {
            on_postgres(&url, items).await;
        }
    });
}

async fn on_sqlite(items: i64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let store = SqliteStore::open(&path, &me(), Clock::process())
        .await
        .unwrap();
    println!("SQLite, {items} items in a table");
    import(&store).await;
    measure(&store, items, |sql| run_on_file(&path, sql)).await;
}

async fn on_postgres(url: &str, items: i64) {
    let store = PostgresStore::open(url, &me(), Clock::database())
        .await
        .unwrap();
    println!("PostgreSQL, {items} items in a table");
    import(&store).await;
    measure(&store, items, |sql| psql(url, sql)).await;
}

/// An import as `content import` makes it, and the same again.
async fn import(store: &dyn StatePersistence) {
    let line = |n: usize| ContentItem {
        key: Some(format!("item-{n}")),
        title: Some(format!("Item {n}")),
        body: format!(
            "{n} lines are read, and this is what one of them says. {}",
            "words ".repeat(20)
        ),
        source: Some("https://example.com/".into()),
        tags: vec!["one".into(), "two".into()],
        priority: (n % 100) as f64 / 100.0,
        not_before: None,
        expires_at: None,
        media: Vec::new(),
        metadata: json!({ "line": n }),
    };
    let lines: Vec<_> = (0..100_000).map(line).collect();
    for what in ["first", "again"] {
        let begin = Instant::now();
        store
            .add_content("import", &lines, Utc::now())
            .await
            .unwrap();
        println!(
            "  import of 100,000 lines, {what}: {:.2} s",
            begin.elapsed().as_secs_f64()
        );
    }
    store.remove_content("import", None).await.unwrap();
}

async fn measure(store: &dyn StatePersistence, items: i64, sql: impl Fn(&str)) {
    for (revision, (what, columns)) in CASES.iter().enumerate() {
        // Another revision: what the last case may still be about to note is void.
        sql(&format!(
            "DELETE FROM actor_server_content_stretches; DELETE FROM actor_server_content_uses; \
             DELETE FROM actor_server_posts; DELETE FROM actor_server_content; \
             DELETE FROM actor_server_content_tables; \
             INSERT INTO actor_server_content_tables VALUES ('t', {revision});"
        ));
        sql(&filled(columns, items));
        if what.contains("used") {
            sql(&format!(
                "INSERT INTO actor_server_content_uses (task_id, content_id, execution_id, used_at) \
                 SELECT 'bot', id, 1, '2026-01-01 00:00:00.000000+00:00' FROM actor_server_content \
                 WHERE item_key <= '{:07}'",
                items / 2
            ));
        }
        choose(store, what).await;
    }
}

/// The statement that fills the table `t`; item_keys sort as they were made.
fn filled(columns: &str, items: i64) -> String {
    let columns = columns
        .replace("HALF", &(items / 2).to_string())
        .replace("PAST", "2020-01-01 00:00:00.000000+00:00")
        .replace("FUTURE", "2120-01-01 00:00:00.000000+00:00");
    format!(
        "INSERT INTO actor_server_content (table_name, item_key, body, created_at, priority, not_before, expires_at) \
         SELECT 't', KEY, 'what item ' || n || ' says, in as many words as an item usually has', \
         '2026-01-01 00:00:00.000000+00:00', {columns} FROM NUMBERS"
    )
    .replace("NUMBERS", &format!("(NUMBERS_TO {items})"))
}

async fn choose(store: &dyn StatePersistence, what: &str) {
    let bot = BotName::parse("bot").unwrap();
    let mut times = Vec::with_capacity(CHOICES);
    let mut first = Duration::ZERO;
    for n in 0..=CHOICES {
        let run = claim(store, &bot).await;
        let wish = Selection {
            bot: bot.clone(),
            execution: run,
            tables: vec!["t".into()],
            now: Utc::now(),
            limit: 10,
            skip: Vec::new(),
        };
        let begin = Instant::now();
        let found = store.candidates(&wish).await.unwrap();
        let took = begin.elapsed();
        if n == 0 {
            first = took;
            // What was found out is written beside.
            std::thread::sleep(Duration::from_millis(500));
        } else {
            times.push(took);
        }
        // A small table may have been used up.
        if let Some(item) = found.first() {
            post(store, &bot, run, item.id).await;
        }
    }
    times.sort();
    let at = |share: f64| times[((CHOICES - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    println!(
        "  {what}: first {:.1} ms, then p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        first.as_secs_f64() * 1000.0,
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

async fn claim(store: &dyn StatePersistence, bot: &BotName) -> ExecutionId {
    let write = Write::Insert {
        bot: bot.clone(),
        trigger: Trigger::Manual,
        metadata: json!({}),
        key: None,
    };
    match store.write(&me().id, &[write]).await.unwrap().remove(0) {
        Written::Claimed(Some(run)) => run,
        other => panic!("{other:?}"),
    }
}

async fn post(store: &dyn StatePersistence, bot: &BotName, execution: ExecutionId, item: i64) {
    let post = NewPost {
        execution,
        bot: bot.clone(),
        position: 0,
        platform: "console".into(),
        destination: "stdout".into(),
        message: Message {
            body: String::new(),
            options: json!({}),
        },
        item: Some(ItemUse {
            id: item,
            text: String::new(),
        }),
        nonce: execution.to_string(),
        started_at: Utc::now(),
        at: Utc::now(),
    };
    let written = store
        .write(&me().id, &[Write::StorePost(post)])
        .await
        .unwrap();
    assert!(matches!(written[0], Written::Post(_)), "{written:?}");
}

fn me() -> Replica {
    Replica {
        id: ReplicaId::new("bench"),
        address: String::new(),
        version: "0.0.0".into(),
        started_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
    }
}

fn run_on_file(path: &Path, sql: &str) {
    let sql = sql.replace("KEY", "printf('%07d', n)");
    let sql = with_numbers(&sql, |items| {
        format!(
            "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {items}) SELECT n FROM c"
        )
    });
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute(
        "PRAGMA busy_timeout = 60000; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON",
    )
    .unwrap();
    conn.batch_execute(&sql).unwrap();
}

fn psql(url: &str, sql: &str) {
    let sql = sql.replace("KEY", "to_char(n, 'FM0000000')");
    let sql = with_numbers(&sql, |items| {
        format!("SELECT generate_series(1::bigint, {items}) AS n")
    });
    let sql = sql
        .replace(
            "DELETE FROM actor_server_content;",
            "TRUNCATE actor_server_content CASCADE;",
        )
        .replace(
            "'2020-01-01 00:00:00.000000+00:00'",
            "timestamptz '2020-01-01 00:00:00+00:00'",
        )
        .replace(
            "'2120-01-01 00:00:00.000000+00:00'",
            "timestamptz '2120-01-01 00:00:00+00:00'",
        )
        .replace(
            "'2026-01-01 00:00:00.000000+00:00'",
            "timestamptz '2026-01-01 00:00:00+00:00'",
        )
        .replace("NULL, NULL", "NULL::timestamptz, NULL::timestamptz")
        .replace(", NULL, CASE", ", NULL::timestamptz, CASE")
        .replace("END, NULL FROM", "END, NULL::timestamptz FROM");
    let bin = std::env::var("ACTOR_SERVER_TEST_POSTGRES_BIN").unwrap_or_default();
    let program = if bin.is_empty() {
        "psql".into()
    } else {
        Path::new(&bin).join("psql")
    };
    let done = Command::new(program)
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", &sql, url])
        .status()
        .unwrap();
    assert!(done.success());
}

/// Puts a backend's way to count from 1 in the place of `NUMBERS_TO n`.
fn with_numbers(sql: &str, count: impl Fn(&str) -> String) -> String {
    let Some((before, rest)) = sql.split_once("(NUMBERS_TO ") else {
        return sql.to_owned();
    };
    let (items, after) = rest.split_once(')').unwrap();
    format!("{before}({}) AS numbers{after}", count(items))
}
