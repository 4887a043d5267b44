//! Pages of rows: the planner knows the tables and picks the index.

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_query,
    sql_types::{BigInt, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use super::{
    connection::Connection,
    rows::{EXECUTION, ExecutionRow},
    rows_beside::{AUDIT, AuditedRow, CONTENT, ContentRow},
};
use crate::{
    domain::{
        audit::{AuditQuery, AuditRow},
        content::{ContentQuery, StoredItem},
        ledger::LedgerQuery,
    },
    store::{
        LedgerRow,
        pages::{Bound, Marks, Page},
    },
};

pub(super) async fn executions(
    connection: &mut Connection,
    query: LedgerQuery,
) -> QueryResult<Vec<LedgerRow>> {
    let page = Page::ledger(&query, Marks::Numbered);
    let sql = format!(
        "SELECT {EXECUTION} FROM actor_server_executions e {}",
        page.sql
    );
    let rows: Vec<ExecutionRow> = bind(sql, page.bound).load(connection).await?;
    rows.into_iter().map(ExecutionRow::read).collect()
}

pub(super) async fn audit(
    connection: &mut Connection,
    query: AuditQuery,
) -> QueryResult<Vec<AuditRow>> {
    let page = Page::audit(&query, Marks::Numbered);
    if page.asks_for_nul() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT {AUDIT} FROM actor_server_audit a {}", page.sql);
    let rows: Vec<AuditedRow> = bind(sql, page.bound).load(connection).await?;
    Ok(rows.into_iter().map(AuditRow::from).collect())
}

pub(super) async fn content(
    connection: &mut Connection,
    query: ContentQuery,
) -> QueryResult<Vec<StoredItem>> {
    let page = Page::content(&query, Marks::Numbered);
    if page.asks_for_nul() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT {CONTENT} FROM actor_server_content c {}", page.sql);
    let rows: Vec<ContentRow> = bind(sql, page.bound).load(connection).await?;
    Ok(rows.into_iter().map(StoredItem::from).collect())
}

fn bind(sql: String, bound: Vec<Bound>) -> BoxedSqlQuery<'static, Pg, SqlQuery> {
    let query = sql_query(sql).into_boxed::<Pg>();
    bound.into_iter().fold(query, |query, bound| match bound {
        Bound::Text(text) => query.bind::<Text, _>(text),
        Bound::Time(at) => query.bind::<Timestamptz, _>(at),
        Bound::Number(number) => query.bind::<BigInt, _>(number),
    })
}
