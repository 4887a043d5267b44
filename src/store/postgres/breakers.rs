//! Circuit breakers, which all processes share: each reads what the others stored, and the last one to store wins.

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{BigInt, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use super::{connection::Connection, flush::clean};
use crate::{
    domain::{
        Instant,
        breaker::{Breaker, BreakerColumns, StoredBreaker},
    },
    store::pages::bounded,
};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    dependency: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    until: Option<Instant>,
    #[diesel(sql_type = BigInt)]
    failures: i64,
    #[diesel(sql_type = BigInt)]
    successes: i64,
    #[diesel(sql_type = Nullable<Text>)]
    credential: Option<String>,
    #[diesel(sql_type = BigInt)]
    revision: i64,
    #[diesel(sql_type = Timestamptz)]
    updated_at: Instant,
}

#[derive(QueryableByName)]
struct Revision {
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

/// All of them, by name.
pub(super) async fn all(connection: &mut Connection) -> QueryResult<Vec<StoredBreaker>> {
    let rows: Vec<Row> = sql_query(
        "SELECT dependency, state, until, failures, successes, credential, revision, updated_at \
         FROM actor_server_breakers ORDER BY dependency COLLATE \"C\"",
    )
    .load(connection)
    .await?;
    Ok(rows.into_iter().map(StoredBreaker::from).collect())
}

impl From<Row> for StoredBreaker {
    fn from(row: Row) -> Self {
        let columns = BreakerColumns {
            state: &row.state,
            until: row.until,
            failures: row.failures,
            successes: row.successes,
        };
        Self {
            breaker: Breaker::of_columns(&columns),
            dependency: row.dependency,
            credential: row.credential,
            revision: row.revision,
            updated_at: row.updated_at,
        }
    }
}

/// Stores one in the place of what is there. Answers its revision.
pub(super) async fn keep(
    connection: &mut Connection,
    dependency: String,
    breaker: Breaker,
    credential: Option<String>,
    now: Instant,
) -> QueryResult<i64> {
    let columns = breaker.columns();
    let row: Revision = sql_query(
        "INSERT INTO actor_server_breakers AS b (dependency, state, until, failures, successes, credential, \
         updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (dependency) DO UPDATE SET state = excluded.state, \
         until = excluded.until, failures = excluded.failures, successes = excluded.successes, \
         credential = excluded.credential, updated_at = excluded.updated_at, revision = b.revision + 1 RETURNING revision",
    )
    .bind::<Text, _>(clean(&dependency))
    .bind::<Text, _>(columns.state)
    .bind::<Nullable<Timestamptz>, _>(columns.until.map(bounded))
    .bind::<BigInt, _>(columns.failures)
    .bind::<BigInt, _>(columns.successes)
    .bind::<Nullable<Text>, _>(credential)
    .bind::<Timestamptz, _>(now)
    .get_result(connection)
    .await?;
    Ok(row.revision)
}
