//! Questions to the store; they run on connections of their own, beside the writer.

use std::collections::BTreeSet;

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool, Nullable},
};

use super::{
    fault::Fault,
    rows::{
        ledger::{ExecutionRow, IsRunning, OpenRow},
        post::PostRow,
        state::StateRow,
    },
    schema::{executions, meta, posts, states},
    time::Time,
};
use crate::{
    domain::{Instant, post::Post, run::ExecutionId, state::BotState},
    store::{LedgerRow, LiveRow, pages::bounded},
};

/// Values that one statement binds at most; SQLite's own limit is 32,766.
const BOUND_AT_ONCE: usize = 1000;

/// All stored bots, by name.
pub(super) fn states(conn: &mut SqliteConnection) -> Result<Vec<BotState>, Fault> {
    let rows = states::table
        .select(StateRow::as_select())
        .order(states::task_id)
        .load(conn)?;
    rows.into_iter().map(BotState::try_from).collect()
}

/// Bots whose next slot is at or before a moment, the earliest first.
pub(super) fn due(conn: &mut SqliteConnection, until: Instant) -> Result<Vec<BotState>, Fault> {
    let rows = states::table
        .filter(states::next_run.le(Time(until)))
        .filter(states::removed.eq(false))
        .select(StateRow::as_select())
        .order((states::next_run, states::task_id))
        .load(conn)?;
    rows.into_iter().map(BotState::try_from).collect()
}

/// Bots whose state was written at or after a moment, by name.
pub(super) fn changed(conn: &mut SqliteConnection, since: Instant) -> Result<Vec<BotState>, Fault> {
    let rows = states::table
        .filter(states::updated_at.ge(Time(bounded(since))))
        .select(StateRow::as_select())
        .order(states::task_id)
        .load(conn)?;
    rows.into_iter().map(BotState::try_from).collect()
}

/// The open rows of a process, in the order they were claimed.
pub(super) fn live(conn: &mut SqliteConnection, owner: &str) -> Result<Vec<LiveRow>, Fault> {
    let rows = executions::table
        .filter(IsRunning)
        .filter(executions::replica.eq(owner))
        .select(OpenRow::as_select())
        .order(executions::id)
        .load(conn)?;
    rows.iter().map(OpenRow::live).collect()
}

/// Ledger rows, newest first.
pub(super) fn ledger(
    conn: &mut SqliteConnection,
    bot: Option<&str>,
    limit: i64,
) -> Result<Vec<LedgerRow>, Fault> {
    let all = executions::table
        .select(ExecutionRow::as_select())
        .order(executions::id.desc())
        .limit(limit.max(0));
    let rows = match bot {
        Some(bot) => all.filter(executions::task_id.eq(bot)).load(conn)?,
        None => all.load(conn)?,
    };
    rows.into_iter().map(LedgerRow::try_from).collect()
}

/// One row of the ledger.
pub(super) fn execution(
    conn: &mut SqliteConnection,
    id: ExecutionId,
) -> Result<Option<LedgerRow>, Fault> {
    let row = executions::table
        .find(id.0)
        .select(ExecutionRow::as_select())
        .get_result(conn)
        .optional()?;
    row.map(LedgerRow::try_from).transpose()
}

/// The posts of some runs, by run and position.
pub(super) fn posts_of(
    conn: &mut SqliteConnection,
    runs: &BTreeSet<ExecutionId>,
) -> Result<Vec<Post>, Fault> {
    let ids: Vec<i64> = runs.iter().map(|id| id.0).collect();
    let mut all = Vec::new();
    for some in ids.chunks(BOUND_AT_ONCE) {
        let rows: Vec<PostRow> = posts::table
            .filter(posts::execution_id.eq_any(some))
            .select(PostRow::as_select())
            .order((posts::execution_id, posts::position))
            .load(conn)?;
        all.extend(rows);
    }
    all.into_iter().map(Post::try_from).collect()
}

/// Posts, newest first.
pub(super) fn posts(
    conn: &mut SqliteConnection,
    bot: Option<&str>,
    limit: i64,
) -> Result<Vec<Post>, Fault> {
    let all = posts::table
        .select(PostRow::as_select())
        .order(posts::id.desc())
        .limit(limit.max(0));
    let rows = match bot {
        Some(bot) => all.filter(posts::task_id.eq(bot)).load(conn)?,
        None => all.load(conn)?,
    };
    rows.into_iter().map(Post::try_from).collect()
}

/// How many posts are pending. Written out: a bound value would keep SQLite from using the index on such posts.
pub(super) fn outbox(conn: &mut SqliteConnection) -> Result<u64, Fault> {
    let pending = posts::table.filter(sql::<Bool>("status = 'pending'"));
    let count: i64 = pending.count().get_result(conn)?;
    Ok(count.unsigned_abs())
}

/// The number of the newest step that the file has.
pub(super) fn schema_version(conn: &mut SqliteConnection) -> Result<i64, Fault> {
    let newest = sql::<Nullable<BigInt>>(
        "SELECT max(CAST(version AS INTEGER)) FROM __diesel_schema_migrations",
    );
    let newest: Option<i64> = newest.get_result(conn)?;
    Ok(newest.unwrap_or(0))
}

/// Whether the file answers.
pub(super) fn ping(conn: &mut SqliteConnection) -> Result<(), Fault> {
    meta::table.count().get_result::<i64>(conn)?;
    Ok(())
}
