//! This process's row in `actor_server_replicas`; there is never a living second one.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use diesel::{dsl::sql, prelude::*, sql_types::Bool};

use super::{
    fault::Fault,
    schema::{executions, replicas},
    time::Time,
};
use crate::{
    domain::{
        Instant,
        replica::ReplicaRow,
        run::{ExecutionId, ReplicaId},
    },
    store::{Beat, Replica},
};

/// Processes that have not beaten for so long are not told of.
const TOLD_OF: TimeDelta = TimeDelta::days(1);

/// Says that this process is alive.
pub(super) fn beat(conn: &mut SqliteConnection, me: &Replica, now: Instant) -> Result<Beat, Fault> {
    diesel::insert_into(replicas::table)
        .values((
            replicas::id.eq(me.id.as_str()),
            replicas::address.eq(&me.address),
            replicas::version.eq(&me.version),
            replicas::started_at.eq(Time(me.started_at)),
            replicas::last_seen.eq(Time(now)),
        ))
        .on_conflict(replicas::id)
        .do_update()
        .set((
            replicas::address.eq(&me.address),
            replicas::last_seen.eq(Time(now)),
        ))
        .execute(conn)?;
    Ok(Beat {
        now,
        replicas: 1,
        cancel: wanted_to_stop(conn, &me.id)?,
    })
}

fn wanted_to_stop(conn: &mut SqliteConnection, me: &ReplicaId) -> Result<Vec<ExecutionId>, Fault> {
    let ids: Vec<i64> = executions::table
        .filter(sql::<Bool>("status = 'running' AND cancel_requested"))
        .filter(executions::replica.eq(me.as_str()))
        .order(executions::id)
        .select(executions::id)
        .load(conn)?;
    Ok(ids.into_iter().map(ExecutionId).collect())
}

/// Takes this process's row away.
pub(super) fn sign_off(conn: &mut SqliteConnection, me: &ReplicaId) -> Result<(), Fault> {
    diesel::delete(replicas::table.find(me.as_str())).execute(conn)?;
    Ok(())
}

/// The processes of the last day, oldest first; those of `ours` are alive.
pub(super) fn all(
    conn: &mut SqliteConnection,
    ours: &BTreeSet<String>,
    now: Instant,
) -> Result<Vec<ReplicaRow>, Fault> {
    let rows: Vec<(String, String, String, Time, Time)> = replicas::table
        .filter(replicas::last_seen.ge(Time(now - TOLD_OF)))
        .order((replicas::started_at, replicas::id))
        .load(conn)?;
    let row = |(id, address, version, started_at, last_seen): (_, _, _, Time, Time)| ReplicaRow {
        alive: ours.contains(&id),
        id,
        address,
        version,
        started_at: started_at.0,
        last_seen: last_seen.0,
    };
    Ok(rows.into_iter().map(row).collect())
}
