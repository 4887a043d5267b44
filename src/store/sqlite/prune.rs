//! Forgetting what is older than the retention time, in steps, so that no other write waits for long.

use diesel::{dsl::sql, prelude::*, sql_types::Text, sqlite::Sqlite};

use super::{
    fault::Fault,
    schema::{audit, executions, posts},
    time::Time,
};
use crate::domain::Instant;

/// Rows looked at in one transaction.
const STEP: i64 = 2000;

/// A row of the ledger, as far as its age matters.
#[derive(Queryable, Selectable)]
#[diesel(table_name = executions, check_for_backend(Sqlite))]
struct Aged {
    id: i64,
    status: String,
    scheduled_for: Option<Time>,
    slot_last: Option<Time>,
    completed_at: Option<Time>,
    created_at: Time,
}

impl Aged {
    fn ended_before(&self, before: Instant) -> bool {
        let slot = self.slot_last.or(self.scheduled_for);
        let ended = self.completed_at.or(slot).unwrap_or(self.created_at);
        self.status != "running" && ended.0 < before
    }
}

/// Where a walk over the ledger is.
pub(super) struct Walk {
    /// The last row looked at.
    pub(super) after: i64,
    /// Rows deleted so far.
    pub(super) deleted: u64,
    /// Whether all that is old has been seen.
    pub(super) done: bool,
}

impl Walk {
    /// At the oldest row.
    pub(super) const fn start() -> Self {
        Self {
            after: 0,
            deleted: 0,
            done: false,
        }
    }
}

/// Looks at the next rows and deletes those that ended before `before`. Ids grow with time, so the walk is over when a
/// whole step is younger than that; a row that grows for long stays where it began and is passed by.
pub(super) fn ledger_step(
    conn: &mut SqliteConnection,
    mut walk: Walk,
    before: Instant,
) -> Result<Walk, Fault> {
    let rows: Vec<Aged> = executions::table
        .filter(executions::id.gt(walk.after))
        .order(executions::id)
        .limit(STEP)
        .select(Aged::as_select())
        .load(conn)?;
    let old = rows.iter().filter(|row| row.ended_before(before));
    let old: Vec<i64> = old.map(|row| row.id).collect();
    let deleted = diesel::delete(executions::table.filter(executions::id.eq_any(old)));
    walk.deleted += deleted.execute(conn)? as u64;
    walk.done = rows.iter().all(|row| row.created_at.0 >= before);
    walk.after = rows.last().map_or(walk.after, |row| row.id);
    Ok(walk)
}

/// Deletes posts that are no longer pending and were sent, or else stored, before `before`.
pub(super) fn posts(conn: &mut SqliteConnection, before: Instant) -> Result<u64, Fault> {
    let ended = sql::<Text>("coalesce(posted_at, created_at)");
    let old = posts::table
        .filter(posts::status.ne("pending"))
        .filter(ended.lt(Time(before)));
    Ok(diesel::delete(old).execute(conn)? as u64)
}

/// Deletes what was done before `before` from the record of who did what.
pub(super) fn audit(conn: &mut SqliteConnection, before: Instant) -> Result<u64, Fault> {
    let old = audit::table.filter(audit::at.lt(Time(before)));
    Ok(diesel::delete(old).execute(conn)? as u64)
}
