//! Who is alive: heartbeats, leases by the database's clock, and what becomes of the runs of the dead.
//!
//! A lease is a row, not a session lock, so that it works through a pooling proxy. Nobody is declared dead by a process
//! that cannot be sure of the database: neither while the server itself is younger than one lease, nor while this
//! process's own heartbeat has not been regular for one.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{Array, BigInt, Double, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use tokio::time::Instant as Monotonic;

use super::{
    batch::Batch,
    connection::Connection,
    facts::Stored,
    needs::Needs,
    rows::{EXECUTION, ExecutionRow, TextRow, name},
    rows_beside::ProcessRow,
};
use crate::{
    domain::{
        Instant,
        bot::BotName,
        replica::ReplicaRow,
        run::{ExecutionId, ReplicaId},
    },
    store::{Beat, Replica, Rescued},
};

/// How long a process counts as alive after a heartbeat; it beats every second.
pub const LEASE: Duration = Duration::from_secs(4);

/// Rows of processes that are long gone and own nothing are removed after this.
const FORGOTTEN: &str = "interval '10 minutes'";

/// Since when this process's heartbeat has been regular.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trust {
    regular: Option<(Monotonic, Monotonic)>,
}

impl Trust {
    /// A heartbeat was answered at `at`. A pause of half a lease may have been an outage that others saw as well.
    pub(super) fn answered(&mut self, at: Monotonic, lease: Duration) {
        let since = match self.regular {
            Some((since, last)) if at.saturating_duration_since(last) <= lease / 2 => since,
            _ => at,
        };
        self.regular = Some((since, at));
    }

    /// A heartbeat failed.
    pub(super) fn failed(&mut self) {
        self.regular = None;
    }

    /// Whether others would have had the time to renew their leases, had they been alive.
    pub(super) fn is_good(&self, now: Monotonic, lease: Duration) -> bool {
        self.regular.is_some_and(|(since, last)| {
            last.saturating_duration_since(since) > lease
                && now.saturating_duration_since(last) <= lease / 2
        })
    }
}

pub(super) fn locked(trust: &Mutex<Trust>) -> MutexGuard<'_, Trust> {
    trust.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(QueryableByName)]
struct BeatRow {
    #[diesel(sql_type = Timestamptz)]
    now: Instant,
    #[diesel(sql_type = BigInt)]
    others: i64,
    #[diesel(sql_type = Array<BigInt>)]
    cancel: Vec<i64>,
}

/// Renews the lease, also one that has run out: as long as nobody took its runs, it is as good as ever.
pub(super) async fn beat(
    connection: &mut Connection,
    me: &Replica,
    lease: Duration,
) -> QueryResult<Beat> {
    let row: BeatRow = sql_query(
        "INSERT INTO actor_server_replicas AS r (id, address, version, started_at, last_seen) \
         VALUES ($1, $2, $3, $4, clock_timestamp()) \
         ON CONFLICT (id) DO UPDATE SET address = $2, version = $3, last_seen = clock_timestamp() \
         RETURNING clock_timestamp() AS now, (SELECT count(*) FROM actor_server_replicas o \
         WHERE o.id <> $1 AND o.last_seen >= clock_timestamp() - make_interval(secs => $5)) AS others, \
         ARRAY(SELECT e.id FROM actor_server_executions e WHERE e.status = 'running' AND e.cancel_requested \
         AND e.replica = $1 ORDER BY e.id) AS cancel",
    )
    .bind::<Text, _>(me.id.as_str())
    .bind::<Text, _>(&me.address)
    .bind::<Text, _>(&me.version)
    .bind::<Timestamptz, _>(me.started_at)
    .bind::<Double, _>(lease.as_secs_f64())
    .get_result(connection)
    .await?;
    Ok(Beat {
        now: row.now,
        replicas: u32::try_from(row.others)
            .unwrap_or(u32::MAX)
            .saturating_add(1),
        cancel: row.cancel.into_iter().map(ExecutionId).collect(),
    })
}

pub(super) async fn sign_off(connection: &mut Connection, me: &ReplicaId) -> QueryResult<()> {
    sql_query("DELETE FROM actor_server_replicas WHERE id = $1")
        .bind::<Text, _>(me.as_str())
        .execute(connection)
        .await
        .map(drop)
}

/// The processes of the last day, oldest first.
pub(super) async fn all(
    connection: &mut Connection,
    lease: Duration,
) -> QueryResult<Vec<ReplicaRow>> {
    let rows: Vec<ProcessRow> = sql_query(
        "SELECT r.id, r.address, r.version, r.started_at, r.last_seen, \
         r.last_seen >= clock_timestamp() - make_interval(secs => $1) AS alive FROM actor_server_replicas r \
         WHERE r.last_seen >= clock_timestamp() - interval '1 day' ORDER BY r.started_at, r.id",
    )
    .bind::<Double, _>(lease.as_secs_f64())
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(ReplicaRow::from).collect())
}

/// What a rescue is asked for.
pub(super) struct Rescue {
    pub(super) me: ReplicaId,
    /// How many attempts the runs of these bots get.
    pub(super) again: HashMap<BotName, u32>,
    pub(super) now: Instant,
    pub(super) lease: Duration,
    pub(super) trust: Arc<Mutex<Trust>>,
}

impl Rescue {
    /// Leases that were judged after a pause tell of the pause: the question may have waited for the server while all
    /// heartbeats did.
    fn is_sure(&self) -> bool {
        locked(&self.trust).is_good(Monotonic::now(), self.lease)
    }

    /// Nothing was done.
    fn none() -> Stored<Vec<Rescued>> {
        Stored {
            answer: Vec::new(),
            transaction: None,
            facts: Vec::new(),
        }
    }
}

/// Deals with the open rows of processes whose lease has run out.
pub(super) async fn rescue(
    connection: &mut Connection,
    rescue: Rescue,
) -> QueryResult<Stored<Vec<Rescued>>> {
    let dead = dead(connection, &rescue).await?;
    if dead.is_empty() {
        forget(connection).await?;
        return Ok(Rescue::none());
    }
    if !rescue.is_sure() {
        return Ok(Rescue::none());
    }
    let bots = bots_of(connection, &dead).await?;
    let mut batch = Batch::load(connection, rescue.me.clone(), Needs::of_rescue(bots)).await?;
    // Newest slots first, so that each can be given back in turn; read under the locks: a row that its process has ended meanwhile is none of ours.
    let rows = open_rows(connection, &dead).await?;
    let mut rescued = Vec::new();
    for (id, bot, created_at) in rows {
        let most = rescue.again.get(&bot).copied().unwrap_or(0);
        if let Some(sheet) = batch.sheets.get_mut(&bot) {
            let one = sheet.rescue(id, created_at, most, rescue.now, &batch.writer);
            rescued.extend(one);
            batch.gather(&bot);
        }
    }
    batch.flush(connection).await?;
    Ok(batch.stored(rescued))
}

/// Processes with open rows and no lease. Their own rows stay locked, so that a late heartbeat comes before (and saves
/// them) or after the rescue, never between.
async fn dead(connection: &mut Connection, rescue: &Rescue) -> QueryResult<Vec<String>> {
    let lease = rescue.lease.as_secs_f64();
    let sure = "clock_timestamp() - pg_postmaster_start_time() > make_interval(secs => $1)";
    let late: Vec<TextRow> = sql_query(format!(
        "SELECT r.id AS value FROM actor_server_replicas r WHERE {sure} AND r.id <> $2 \
         AND r.last_seen < clock_timestamp() - make_interval(secs => $1) AND EXISTS (SELECT FROM \
         actor_server_executions e WHERE e.replica = r.id AND e.status = 'running') ORDER BY r.id FOR UPDATE SKIP LOCKED"
    ))
    .bind::<Double, _>(lease)
    .bind::<Text, _>(rescue.me.as_str())
    .load(connection)
    .await?;
    let gone: Vec<TextRow> = sql_query(format!(
        "SELECT e.replica AS value FROM actor_server_executions e WHERE e.status = 'running' AND {sure} \
         AND e.replica <> $2 AND NOT EXISTS (SELECT FROM actor_server_replicas r WHERE r.id = e.replica) \
         GROUP BY e.replica HAVING max(e.created_at) < clock_timestamp() - make_interval(secs => $1)"
    ))
    .bind::<Double, _>(lease)
    .bind::<Text, _>(rescue.me.as_str())
    .load(connection)
    .await?;
    Ok(late.into_iter().chain(gone).map(|row| row.value).collect())
}

async fn bots_of(connection: &mut Connection, dead: &[String]) -> QueryResult<BTreeSet<BotName>> {
    let bots: Vec<TextRow> = sql_query(
        "SELECT DISTINCT task_id AS value FROM actor_server_executions WHERE status = 'running' AND replica = ANY($1)",
    )
    .bind::<Array<Text>, _>(dead)
    .load(connection)
    .await?;
    bots.iter().map(|row| name(&row.value)).collect()
}

async fn open_rows(
    connection: &mut Connection,
    dead: &[String],
) -> QueryResult<Vec<(ExecutionId, BotName, Instant)>> {
    let sql = format!(
        "SELECT {EXECUTION} FROM actor_server_executions e WHERE e.status = 'running' AND e.replica = ANY($1) \
         ORDER BY e.scheduled_for DESC NULLS LAST, e.id"
    );
    let rows: Vec<ExecutionRow> = sql_query(sql)
        .bind::<Array<Text>, _>(dead)
        .load(connection)
        .await?;
    let read = |row: ExecutionRow| {
        let created_at = row.created_at;
        row.read().map(|row| (row.id, row.bot, created_at))
    };
    rows.into_iter().map(read).collect()
}

async fn forget(connection: &mut Connection) -> QueryResult<()> {
    sql_query(format!(
        "DELETE FROM actor_server_replicas r WHERE r.last_seen < clock_timestamp() - {FORGOTTEN} AND NOT EXISTS \
         (SELECT FROM actor_server_executions e WHERE e.replica = r.id AND e.status = 'running')"
    ))
    .execute(connection)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_heartbeat_that_has_been_regular_for_one_lease_may_declare_others_dead() {
        let start = Monotonic::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut trust = Trust::default();
        assert!(!trust.is_good(at(0), LEASE));
        for second in 0..=4 {
            trust.answered(at(second * 1000), LEASE);
            assert!(!trust.is_good(at(second * 1000), LEASE));
        }
        trust.answered(at(5000), LEASE);
        assert!(trust.is_good(at(5000), LEASE));
        assert!(!trust.is_good(at(7001), LEASE), "silent since");
    }

    #[test]
    fn a_failed_or_late_heartbeat_begins_the_wait_anew() {
        let start = Monotonic::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut trust = Trust::default();
        (0..=5).for_each(|second| trust.answered(at(second * 1000), LEASE));
        let mut failed = trust;
        failed.failed();
        failed.answered(at(6000), LEASE);
        assert!(!failed.is_good(at(6000), LEASE));
        trust.answered(at(7500), LEASE);
        assert!(!trust.is_good(at(7500), LEASE));
        (8..=12).for_each(|second| trust.answered(at(second * 1000), LEASE));
        assert!(trust.is_good(at(12_000), LEASE));
    }
}
