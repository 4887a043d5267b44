//! Forgetting what is older than the retention time, in steps, so that no other write waits for long.

use diesel::{dsl::sql, prelude::*, sql_types::Text};

use super::{
    fault::Fault,
    schema::{executions, posts},
    time::Time,
};
use crate::domain::Instant;

/// Rows looked at in one transaction.
const STEP: i64 = 2000;

/// A row of the ledger, as far as its age matters.
type Aged = (i64, Option<Time>, Option<Time>, Option<Time>, Time, String);

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
        .select((
            executions::id,
            executions::completed_at,
            executions::slot_last,
            executions::scheduled_for,
            executions::created_at,
            executions::status,
        ))
        .load(conn)?;
    let old: Vec<i64> = rows
        .iter()
        .filter(|row| row.5 != "running" && ended(row).0 < before)
        .map(|row| row.0)
        .collect();
    walk.done = rows.iter().all(|row| row.4.0 >= before);
    walk.after = rows.last().map_or(walk.after, |row| row.0);
    let deleted = diesel::delete(executions::table.filter(executions::id.eq_any(old)));
    walk.deleted += deleted.execute(conn)? as u64;
    Ok(walk)
}

fn ended((_, completed, slot_last, slot, created, _): &Aged) -> Time {
    completed.or(*slot_last).or(*slot).unwrap_or(*created)
}

/// Deletes posts that are no longer pending and were sent, or else stored, before `before`.
pub(super) fn posts(conn: &mut SqliteConnection, before: Instant) -> Result<u64, Fault> {
    let ended = sql::<Text>("coalesce(posted_at, created_at)");
    let old = posts::table
        .filter(posts::status.ne("pending"))
        .filter(ended.lt(Time(before)));
    Ok(diesel::delete(old).execute(conn)? as u64)
}
