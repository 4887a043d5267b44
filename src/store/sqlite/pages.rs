//! Pages of rows, and which index finds them: SQLite keeps no statistics here, so that is said and not guessed.

use diesel::{
    prelude::*,
    query_builder::BoxedSqlQuery,
    sql_query,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};

use super::{
    fault::Fault,
    rows::{audit::AuditedRow, content::ContentRow, ledger::ExecutionRow},
    time::Time,
};
use crate::{
    domain::{
        audit::{AuditQuery, AuditRow},
        content::{ContentQuery, StoredItem},
        ledger::LedgerQuery,
        outcome::Status,
        run::Trigger,
    },
    store::{
        LedgerRow,
        pages::{Bound, Marks, Page},
    },
};

/// A window of time with more rows than this is walked through by id.
const NARROW: u32 = 10_000;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Rows of the ledger.
pub(super) fn executions(
    conn: &mut SqliteConnection,
    query: &LedgerQuery,
) -> Result<Vec<LedgerRow>, Fault> {
    let index = index(conn, query)?;
    let (sql, bound) = statement(query, index);
    let rows: Vec<ExecutionRow> = bind(sql, bound).load(conn)?;
    rows.into_iter().map(LedgerRow::try_from).collect()
}

fn statement(query: &LedgerQuery, index: &str) -> (String, Vec<Bound>) {
    let page = Page::ledger(query, Marks::Plain);
    let sql = format!(
        "SELECT e.* FROM actor_server_executions e {index} {}",
        page.sql
    );
    (sql, page.bound)
}

/// The index that leaves few rows; without one the rows are walked through from the newest id down.
fn index(conn: &mut SqliteConnection, query: &LedgerQuery) -> Result<&'static str, Fault> {
    if query.status == Some(Status::Running) {
        return Ok("INDEXED BY actor_server_executions_running");
    }
    if is_narrow(conn, query)? {
        return Ok(BY_TIME);
    }
    Ok(match (&query.bot, query.trigger, query.status) {
        (Some(_), _, _) => "INDEXED BY actor_server_executions_bot_page",
        (None, Some(Trigger::Manual | Trigger::Event), _) => {
            "INDEXED BY actor_server_executions_trigger_page"
        }
        (None, _, Some(_)) => "INDEXED BY actor_server_executions_status_page",
        (None, _, None) => "",
    })
}

const BY_TIME: &str = "INDEXED BY actor_server_executions_by_time";

/// Whether so few rows are in the window that the index on time, which has them in another order, is the shorter way.
fn is_narrow(conn: &mut SqliteConnection, query: &LedgerQuery) -> Result<bool, Fault> {
    let indexed = query.since.is_some() || (query.until.is_some() && !query.all);
    if !indexed {
        return Ok(false);
    }
    let page = Page::ledger_by_time(query, NARROW, Marks::Plain);
    let sql = format!(
        "SELECT count(*) AS n FROM (SELECT 1 FROM actor_server_executions e {BY_TIME} {})",
        page.sql
    );
    let found: Count = bind(sql, page.bound).get_result(conn)?;
    Ok(found.n < i64::from(NARROW))
}

/// Entries of the record of who did what.
pub(super) fn audit(
    conn: &mut SqliteConnection,
    query: &AuditQuery,
) -> Result<Vec<AuditRow>, Fault> {
    let page = Page::audit(query, Marks::Plain);
    let sql = format!("SELECT a.* FROM actor_server_audit a {}", page.sql);
    let rows: Vec<AuditedRow> = bind(sql, page.bound).load(conn)?;
    Ok(rows.into_iter().map(AuditRow::from).collect())
}

/// Items of a knowledge table.
pub(super) fn content(
    conn: &mut SqliteConnection,
    query: &ContentQuery,
) -> Result<Vec<StoredItem>, Fault> {
    let page = Page::content(query, Marks::Plain);
    let sql = format!(
        "SELECT c.* FROM actor_server_content c INDEXED BY actor_server_content_by_id {}",
        page.sql
    );
    let rows: Vec<ContentRow> = bind(sql, page.bound).load(conn)?;
    Ok(rows.into_iter().map(StoredItem::from).collect())
}

fn bind(
    sql: String,
    bound: Vec<Bound>,
) -> BoxedSqlQuery<'static, Sqlite, diesel::query_builder::SqlQuery> {
    let query = sql_query(sql).into_boxed::<Sqlite>();
    bound.into_iter().fold(query, |query, bound| match bound {
        Bound::Text(text) => query.bind::<Text, _>(text),
        Bound::Time(at) => query.bind::<Text, _>(Time(at)),
        Bound::Number(number) => query.bind::<BigInt, _>(number),
    })
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use diesel_migrations::MigrationHarness;

    use super::*;
    use crate::{
        domain::{bot::BotName, run::ExecutionId},
        store::sqlite::migrations::MIGRATIONS,
    };

    /// Rows of the ledger: each tenth is a gap, each hundredth failed, each thousandth was an event.
    fn ledger(rows: u32) -> SqliteConnection {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        conn.run_pending_migrations(MIGRATIONS).unwrap();
        let time = "strftime('%Y-%m-%d %H:%M:%f', 1790000000 + n, 'unixepoch') || '000+00:00'";
        conn.batch_execute(&format!(
            "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {rows}), \
             t AS (SELECT n, {time} AS at, n % 10 = 0 AS gap, n % 1000 = 1 AS event FROM c) \
             INSERT INTO actor_server_executions (task_id, actor_name, trigger, scheduled_for, slot_last, status, reason, \
             started_at, replica, created_at) SELECT 'bot' || (n % 50), 'a title', iif(event, 'event', 'schedule'), \
             iif(event, NULL, at), iif(gap, at, NULL), iif(gap, 'skipped', iif(n % 100 = 2, 'failed', 'succeeded')), \
             iif(gap, 'overlap', NULL), iif(gap, NULL, at), 'a', at FROM t"
        ))
        .unwrap();
        conn
    }

    fn moment(n: i64) -> Option<crate::domain::Instant> {
        chrono::DateTime::from_timestamp(1_790_000_000 + n, 0)
    }

    /// Every combination of bot, status, trigger and window, of runs and of all rows.
    fn queries(newest: i64) -> Vec<LedgerQuery> {
        let bots = [None, BotName::parse("bot7").ok()];
        let statuses = [
            None,
            Some(Status::Running),
            Some(Status::Failed),
            Some(Status::Succeeded),
        ];
        let triggers = [None, Some(Trigger::Event), Some(Trigger::Schedule)];
        let windows = [
            (None, None),
            (moment(newest - 60), None),
            (moment(10), moment(70)),
            (moment(10), None),
        ];
        let mut all = Vec::new();
        for (bot, status) in bots
            .iter()
            .flat_map(|bot| statuses.map(|status| (bot, status)))
        {
            for (trigger, (since, until)) in triggers
                .iter()
                .flat_map(|trigger| windows.map(|window| (trigger, window)))
            {
                all.extend([false, true].map(|every| LedgerQuery {
                    bot: bot.clone(),
                    status,
                    trigger: *trigger,
                    since,
                    until,
                    all: every,
                    after: Some(ExecutionId(newest)),
                    offset: 0,
                    limit: 50,
                }));
            }
        }
        all
    }

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }

    #[test]
    fn no_page_of_the_ledger_is_found_by_walking_through_the_table() {
        let mut conn = ledger(20_000);
        for query in queries(20_000) {
            let index = index(&mut conn, &query).unwrap();
            let (sql, bound) = statement(&query, index);
            let explain = format!("EXPLAIN QUERY PLAN {sql}");
            let plan: Vec<Step> = bind(explain, bound).load(&mut conn).unwrap();
            let plan: Vec<_> = plan.into_iter().map(|step| step.detail).collect();
            let few = index == BY_TIME || query.status == Some(Status::Running);
            let searched = plan[0].starts_with("SEARCH e USING");
            let open = plan[0] == "SCAN e USING INDEX actor_server_executions_running";
            assert!(searched || (few && open), "{query:?}: {plan:?}");
            // Only few rows are ever sorted.
            let sorted = plan.len() > 1;
            assert!(!sorted || few, "{query:?}: {plan:?}");
        }
    }

    #[test]
    fn a_window_goes_through_the_index_that_leaves_fewer_rows() {
        let mut conn = ledger(20_000);
        let window = |since, until| LedgerQuery {
            since: moment(since),
            until: moment(until),
            limit: 50,
            ..LedgerQuery::default()
        };
        for (query, expected) in [
            (window(10, 70), BY_TIME),
            (window(19_000, 30_000), BY_TIME),
            (window(10, 30_000), ""),
            (LedgerQuery::default(), ""),
        ] {
            assert_eq!(index(&mut conn, &query).unwrap(), expected, "{query:?}");
        }
        let found = executions(&mut conn, &window(10, 70)).unwrap();
        assert_eq!(found.len(), 50);
        assert!(found.iter().all(|row| row.scheduled_for >= moment(10)));
    }
}
