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

/// The index that leaves the fewest rows; without one the rows are walked through from the newest id down.
fn index(conn: &mut SqliteConnection, query: &LedgerQuery) -> Result<&'static str, Fault> {
    let by_filter = match (query.status, query.trigger, &query.bot) {
        (Some(Status::Running), _, _) => Some("INDEXED BY actor_server_executions_running"),
        (_, _, Some(_)) => Some("INDEXED BY actor_server_executions_bot_page"),
        (_, Some(Trigger::Manual | Trigger::Event), _) => {
            Some("INDEXED BY actor_server_executions_trigger_page")
        }
        (Some(_), _, _) => Some("INDEXED BY actor_server_executions_status_page"),
        (None, _, None) => None,
    };
    match by_filter {
        Some(index) => Ok(index),
        None if is_narrow(conn, query)? => Ok(BY_TIME),
        None => Ok(""),
    }
}

const BY_TIME: &str = "INDEXED BY actor_server_executions_by_time";

/// Whether so few rows are in the window that the index on time, which has them in another order, is the shorter way.
fn is_narrow(conn: &mut SqliteConnection, query: &LedgerQuery) -> Result<bool, Fault> {
    let indexed = query.since.is_some() || (query.until.is_some() && !query.all);
    if !indexed {
        return Ok(false);
    }
    let page = Page::ledger_window(query, NARROW, Marks::Plain);
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
        "SELECT c.* FROM actor_server_content c INDEXED BY actor_server_content_page {}",
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
