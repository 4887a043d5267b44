//! What is stored, for those who only look; and what is too old to keep.

use diesel::{
    QueryResult, sql_query,
    sql_types::{Array, BigInt, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use super::{
    connection::Connection,
    rows::{EXECUTION, ExecutionRow, NumberRow, POST, PostRow, STATE, StateRow, TextRow},
    sheet::open::claim_of,
};
use crate::{
    domain::{
        Instant,
        bot::BotName,
        post::Post,
        run::{ExecutionId, ReplicaId},
        state::BotState,
    },
    store::{LedgerRow, LiveRow, pages::bounded},
};

/// Rows that one transaction deletes at most, so that each is short.
const PRUNED_AT_ONCE: i64 = 5_000;

pub(super) async fn states(connection: &mut Connection) -> QueryResult<Vec<BotState>> {
    let sql = format!("SELECT {STATE} FROM actor_server_state s ORDER BY s.task_id");
    let rows: Vec<StateRow> = sql_query(sql).load(connection).await?;
    rows.into_iter().map(StateRow::read).collect()
}

pub(super) async fn due(connection: &mut Connection, until: Instant) -> QueryResult<Vec<BotState>> {
    let sql = format!(
        "SELECT {STATE} FROM actor_server_state s WHERE s.next_run <= $1 AND NOT s.removed ORDER BY s.next_run, s.task_id"
    );
    let rows: Vec<StateRow> = sql_query(sql)
        .bind::<Timestamptz, _>(until)
        .load(connection)
        .await?;
    rows.into_iter().map(StateRow::read).collect()
}

pub(super) async fn state(
    connection: &mut Connection,
    bot: BotName,
) -> QueryResult<Option<BotState>> {
    let sql = format!("SELECT {STATE} FROM actor_server_state s WHERE s.task_id = $1");
    let rows: Vec<StateRow> = sql_query(sql)
        .bind::<Text, _>(bot.as_str())
        .load(connection)
        .await?;
    rows.into_iter().next().map(StateRow::read).transpose()
}

pub(super) async fn changed(
    connection: &mut Connection,
    since: Instant,
) -> QueryResult<Vec<BotState>> {
    let sql = format!(
        "SELECT {STATE} FROM actor_server_state s WHERE s.updated_at >= $1 ORDER BY s.task_id"
    );
    let rows: Vec<StateRow> = sql_query(sql)
        .bind::<Timestamptz, _>(bounded(since))
        .load(connection)
        .await?;
    rows.into_iter().map(StateRow::read).collect()
}

pub(super) async fn execution(
    connection: &mut Connection,
    id: ExecutionId,
) -> QueryResult<Option<LedgerRow>> {
    let sql = format!("SELECT {EXECUTION} FROM actor_server_executions e WHERE e.id = $1");
    let rows: Vec<ExecutionRow> = sql_query(sql)
        .bind::<BigInt, _>(id.0)
        .load(connection)
        .await?;
    rows.into_iter().next().map(ExecutionRow::read).transpose()
}

pub(super) async fn posts_of(
    connection: &mut Connection,
    executions: Vec<i64>,
) -> QueryResult<Vec<Post>> {
    let sql = format!(
        "SELECT {POST} FROM actor_server_posts p WHERE p.execution_id = ANY($1) ORDER BY p.execution_id, p.\"position\""
    );
    let rows: Vec<PostRow> = sql_query(sql)
        .bind::<Array<BigInt>, _>(executions)
        .load(connection)
        .await?;
    rows.into_iter().map(PostRow::read).collect()
}

pub(super) async fn live(
    connection: &mut Connection,
    owner: &ReplicaId,
) -> QueryResult<Vec<LiveRow>> {
    let sql = format!(
        "SELECT {EXECUTION} FROM actor_server_executions e WHERE e.status = 'running' AND e.replica = $1 ORDER BY e.id"
    );
    let rows: Vec<ExecutionRow> = sql_query(sql)
        .bind::<Text, _>(owner.as_str())
        .load(connection)
        .await?;
    let live = |row: ExecutionRow| {
        let created_at = row.created_at;
        let row = row.read()?;
        Ok(LiveRow {
            claim: claim_of(&row, created_at),
            started_at: row.started_at,
            metadata: row.metadata,
        })
    };
    rows.into_iter().map(live).collect()
}

pub(super) async fn ledger(
    connection: &mut Connection,
    bot: Option<&BotName>,
    limit: i64,
) -> QueryResult<Vec<LedgerRow>> {
    let sql = format!(
        "SELECT {EXECUTION} FROM actor_server_executions e WHERE ($1 IS NULL OR e.task_id = $1) \
         ORDER BY e.id DESC LIMIT $2"
    );
    let rows: Vec<ExecutionRow> = sql_query(sql)
        .bind::<Nullable<Text>, _>(bot.map(BotName::as_str))
        .bind::<BigInt, _>(limit.max(0))
        .load(connection)
        .await?;
    rows.into_iter().map(ExecutionRow::read).collect()
}

pub(super) async fn posts(
    connection: &mut Connection,
    bot: Option<&BotName>,
    limit: i64,
) -> QueryResult<Vec<Post>> {
    let sql = format!(
        "SELECT {POST} FROM actor_server_posts p WHERE ($1 IS NULL OR p.task_id = $1) ORDER BY p.id DESC LIMIT $2"
    );
    let rows: Vec<PostRow> = sql_query(sql)
        .bind::<Nullable<Text>, _>(bot.map(BotName::as_str))
        .bind::<BigInt, _>(limit.max(0))
        .load(connection)
        .await?;
    rows.into_iter().map(PostRow::read).collect()
}

/// Deletes some of what ended before; answers how many rows, 0 when nothing is left.
pub(super) async fn prune(
    connection: &mut Connection,
    before: Instant,
    posts_before: Instant,
) -> QueryResult<u64> {
    let rows = sql_query(
        "DELETE FROM actor_server_executions WHERE id IN (SELECT id FROM actor_server_executions \
         WHERE status <> 'running' AND coalesce(completed_at, slot_last, scheduled_for, created_at) < $1 \
         LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(PRUNED_AT_ONCE)
    .execute(connection)
    .await?;
    let posts = sql_query(
        "DELETE FROM actor_server_posts WHERE id IN (SELECT id FROM actor_server_posts \
         WHERE status <> 'pending' AND coalesce(posted_at, created_at) < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Timestamptz, _>(before.min(posts_before))
    .bind::<BigInt, _>(PRUNED_AT_ONCE)
    .execute(connection)
    .await?;
    let audit = sql_query(
        "DELETE FROM actor_server_audit WHERE id IN (SELECT id FROM actor_server_audit \
         WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(PRUNED_AT_ONCE)
    .execute(connection)
    .await?;
    let all = rows.saturating_add(posts).saturating_add(audit);
    Ok(u64::try_from(all).unwrap_or(u64::MAX))
}

/// How many posts are pending.
pub(super) async fn outbox(connection: &mut Connection) -> QueryResult<u64> {
    let row: NumberRow =
        sql_query("SELECT count(*) AS value FROM actor_server_posts WHERE status = 'pending'")
            .get_result(connection)
            .await?;
    Ok(row.value.unsigned_abs())
}

/// The number of the newest step that the database has.
pub(super) async fn schema_version(connection: &mut Connection) -> QueryResult<i64> {
    let row: NumberRow = sql_query(
        "SELECT coalesce(max(version::bigint), 0) AS value FROM __diesel_schema_migrations",
    )
    .get_result(connection)
    .await?;
    Ok(row.value)
}

pub(super) async fn ping(connection: &mut Connection) -> QueryResult<()> {
    sql_query("SELECT 1").execute(connection).await.map(drop)
}

/// The random id that the first migration drew.
pub(super) async fn database_id(connection: &mut Connection) -> QueryResult<String> {
    let row: TextRow = sql_query("SELECT value FROM actor_server_meta WHERE key = 'database_id'")
        .get_result(connection)
        .await?;
    Ok(row.value)
}
