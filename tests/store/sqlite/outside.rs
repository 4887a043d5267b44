//! What others see of the file, and what they can do to the store.

use actor_server::{
    domain::outcome::{Gap, Status},
    store::{StoreError, Write},
};
use diesel::{
    Connection, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query,
    sql_types::Text,
};

use super::SqliteFixture;
use crate::{
    fixture::Fixture,
    process::{Process, insertion, message, state},
};

#[derive(diesel::QueryableByName)]
struct Cell {
    #[diesel(sql_type = Text)]
    cell: String,
}

fn outsider(fixture: &SqliteFixture) -> SqliteConnection {
    SqliteConnection::establish(fixture.path().to_str().unwrap()).unwrap()
}

fn cells(conn: &mut SqliteConnection, query: &str) -> Vec<String> {
    let rows: Vec<Cell> = sql_query(query).load(conn).unwrap();
    rows.into_iter().map(|row| row.cell).collect()
}

async fn lived_in(fixture: &SqliteFixture) -> Process {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    a.skip(&bot, 0, 3, Gap::Late).await;
    a.finish(&bot, 4, Status::Failed).await;
    let id = a.run(&bot, 5).await;
    a.post(message(id, &bot, 5)).await;
    a
}

#[tokio::test]
async fn every_time_is_text_of_one_form_that_sorts() {
    let fixture = SqliteFixture::new().await;
    let a = lived_in(&fixture).await;
    let other = a.register("other").await;
    a.finish(&other, 0, Status::Succeeded).await;
    let mut conn = outsider(&fixture);
    let form = "____-__-__ __:__:__.______+00:00";
    let columns = [
        (
            "state",
            "anchor next_run last_run last_success created_at updated_at",
        ),
        (
            "executions",
            "scheduled_for slot_last started_at completed_at created_at",
        ),
        ("posts", "created_at"),
        ("replicas", "started_at last_seen"),
    ];
    for (table, columns) in columns {
        for column in columns.split(' ') {
            let query = format!(
                "SELECT {column} AS cell FROM actor_server_{table} WHERE {column} IS NOT NULL"
            );
            let all = cells(&mut conn, &query);
            let good = format!("{query} AND {column} LIKE '{form}' AND typeof({column}) = 'text'");
            assert!(!all.is_empty(), "{table}.{column}");
            assert_eq!(cells(&mut conn, &good), all, "{table}.{column}");
        }
    }
}

#[tokio::test]
async fn outsiders_read_beside_the_owner_and_find_the_documented_words() {
    let fixture = SqliteFixture::new().await;
    lived_in(&fixture).await;
    let mut conn = outsider(&fixture);
    let rows = cells(
        &mut conn,
        "SELECT task_id || ' ' || actor_name || ' ' || trigger || ' ' || slots || ' ' || status || ' ' || coalesce(reason, '-')
         AS cell FROM actor_server_executions ORDER BY scheduled_for",
    );
    let expected = [
        "bot The bot schedule 4 missed late",
        "bot The bot schedule 1 failed -",
        "bot The bot schedule 1 running -",
    ];
    assert_eq!(rows, expected);
    let mode = cells(
        &mut conn,
        "SELECT journal_mode AS cell FROM pragma_journal_mode",
    );
    assert_eq!(mode, ["wal"]);
}

#[tokio::test]
async fn the_queries_of_every_day_go_through_an_index() {
    let fixture = SqliteFixture::new().await;
    let mut conn = outsider(&fixture);
    for (query, index) in [
        (
            "executions WHERE task_id = 'a' AND scheduled_for < 'x' ORDER BY scheduled_for DESC",
            "autoindex",
        ),
        (
            "executions WHERE status = 'running' AND replica = 'a'",
            "executions_running",
        ),
        (
            "executions WHERE status = 'running' AND cancel_requested AND replica = 'a' ORDER BY id",
            "executions_cancel",
        ),
        (
            "executions WHERE task_id = 'a' AND status = 'running'",
            "executions_running",
        ),
        (
            "executions WHERE task_id = 'a' ORDER BY started_at DESC",
            "executions_by_bot",
        ),
        ("executions ORDER BY started_at DESC", "executions_by_start"),
        (
            "posts WHERE status = 'pending' ORDER BY id",
            "posts_pending",
        ),
        (
            "posts WHERE task_id = 'a' AND status <> 'failed' AND coalesce(posted_at, created_at) > 'x'",
            "posts_by_bot",
        ),
        (
            "state WHERE next_run <= 'x' AND removed = false ORDER BY next_run",
            "state_by_next_run",
        ),
        ("state WHERE actor_name = 'a'", "state_by_name"),
    ] {
        let plan = plan(&mut conn, &format!("SELECT * FROM actor_server_{query}"));
        assert!(plan[0].contains(index), "{query}: {plan:?}");
        assert_eq!(plan.len(), 1, "{query}: {plan:?}");
    }
}

/// The steps of a query.
fn plan(conn: &mut SqliteConnection, query: &str) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Plan {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let explain = format!("EXPLAIN QUERY PLAN {query}");
    let plan: Vec<Plan> = sql_query(explain).load(conn).unwrap();
    plan.into_iter().map(|step| step.detail).collect()
}

#[tokio::test]
async fn pending_posts_are_counted_without_looking_at_posts() {
    let fixture = SqliteFixture::new().await;
    let count = "SELECT COUNT(*) FROM `actor_server_posts` WHERE status = 'pending'";
    let plan = plan(&mut outsider(&fixture), count);
    assert!(
        plan[0].contains("COVERING INDEX actor_server_posts_pending"),
        "{plan:?}"
    );
}

#[tokio::test]
async fn the_tables_refuse_words_that_are_not_in_the_vocabulary() {
    let fixture = SqliteFixture::new().await;
    lived_in(&fixture).await;
    let mut conn = outsider(&fixture);
    for wrong in [
        "UPDATE actor_server_executions SET status = 'done'",
        "UPDATE actor_server_executions SET trigger = 'cron'",
        "UPDATE actor_server_executions SET slots = 0",
        "UPDATE actor_server_executions SET reason = 'late' WHERE status = 'failed'",
        "UPDATE actor_server_posts SET status = 'posted'",
        "UPDATE actor_server_state SET hold_kind = 'tired', is_paused = 1",
        "UPDATE actor_server_state SET is_paused = 1",
    ] {
        let refused = conn.batch_execute(wrong).unwrap_err().to_string();
        assert!(
            refused.contains("CHECK constraint failed"),
            "{wrong}: {refused}"
        );
    }
}

/// Takes as long as the store waits for a lock, five seconds.
#[tokio::test(flavor = "multi_thread")]
async fn an_outside_writer_that_keeps_the_file_locked_makes_the_store_unavailable_until_it_lets_go()
{
    let fixture = SqliteFixture::new().await;
    let a = lived_in(&fixture).await;
    let mut conn = outsider(&fixture);
    conn.batch_execute("BEGIN IMMEDIATE").unwrap();
    let refused = a.try_write(&[insertion(&state("late"))]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(refused.to_string().contains("locked"), "{refused}");
    a.store.ping().await.unwrap();
    conn.batch_execute("COMMIT").unwrap();
    a.write(insertion(&state("late"))).await;
    assert_eq!(a.store.states().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_word_that_nobody_knows_is_an_error_and_no_panic() {
    let fixture = SqliteFixture::new().await;
    let a = lived_in(&fixture).await;
    let mut conn = outsider(&fixture);
    conn.batch_execute(
        "PRAGMA ignore_check_constraints = ON; UPDATE actor_server_state SET anchor = 'soon'",
    )
    .unwrap();
    let failed = a.store.states().await.unwrap_err();
    assert!(matches!(failed, StoreError::Failed(_)), "{failed:?}");
    assert!(failed.to_string().contains("soon"), "{failed}");
    let bot = crate::process::name("bot");
    let write = Write::ClearHold { bot, kind: None };
    assert!(a.try_write(&[write]).await.is_err());
    a.store.ping().await.unwrap();
}
