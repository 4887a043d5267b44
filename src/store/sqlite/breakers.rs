//! Circuit breakers as they were when they last changed.

use diesel::{prelude::*, upsert::excluded};

use super::{
    fault::Fault,
    schema::breakers,
    time::{Time, read, stored},
};
use crate::{
    domain::{
        Instant,
        breaker::{Breaker, BreakerColumns, StoredBreaker},
    },
    store::pages::bounded,
};

type Row = (
    String,
    String,
    Option<Time>,
    i64,
    i64,
    Option<String>,
    i64,
    Time,
);

/// All of them, by name.
pub(super) fn all(conn: &mut SqliteConnection) -> Result<Vec<StoredBreaker>, Fault> {
    let rows: Vec<Row> = breakers::table.order(breakers::dependency).load(conn)?;
    let row = |(dependency, state, until, failures, successes, credential, revision, at): Row| {
        let columns = BreakerColumns {
            state: &state,
            until: read(until),
            failures,
            successes,
        };
        StoredBreaker {
            dependency,
            breaker: Breaker::of_columns(&columns),
            credential,
            revision,
            updated_at: at.0,
        }
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Stores one in the place of what is there. Answers its revision.
pub(super) fn keep(
    conn: &mut SqliteConnection,
    dependency: &str,
    breaker: Breaker,
    credential: Option<String>,
    now: Instant,
) -> Result<i64, Fault> {
    let columns = breaker.columns();
    let revision = diesel::insert_into(breakers::table)
        .values((
            breakers::dependency.eq(dependency),
            breakers::state.eq(columns.state),
            breakers::until.eq(stored(columns.until.map(bounded))),
            breakers::failures.eq(columns.failures),
            breakers::successes.eq(columns.successes),
            breakers::credential.eq(credential),
            breakers::revision.eq(1),
            breakers::updated_at.eq(Time(now)),
        ))
        .on_conflict(breakers::dependency)
        .do_update()
        .set((
            breakers::state.eq(excluded(breakers::state)),
            breakers::until.eq(excluded(breakers::until)),
            breakers::failures.eq(excluded(breakers::failures)),
            breakers::successes.eq(excluded(breakers::successes)),
            breakers::credential.eq(excluded(breakers::credential)),
            breakers::revision.eq(breakers::revision + 1),
            breakers::updated_at.eq(excluded(breakers::updated_at)),
        ))
        .returning(breakers::revision)
        .get_result(conn)?;
    Ok(revision)
}
