//! Commits that were not answered: the connection broke, and nobody knows whether the server had heard.
//!
//! The caller is told that the database is away and sends the same batch again. It must not be carried out twice: a
//! second claim would leave the first without anybody who runs it. So the server is asked what became of the transaction.

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{Nullable, Text},
};
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use crate::{
    domain::run::ReplicaId,
    store::{Write, Written},
};

/// Batches that are remembered; there is one for each writer that was cut off.
const REMEMBERED: usize = 16;

/// A batch that may be stored.
pub(super) struct Unsure {
    pub(super) transaction: String,
    pub(super) answers: Vec<Written>,
    batch: Vec<String>,
}

impl Unsure {
    /// Whether a batch that comes again begins with this one.
    fn begins(&self, me: &ReplicaId, batch: &[Write]) -> bool {
        let again = batch.iter().map(|write| spelt(me, write));
        batch.len() >= self.batch.len() && self.batch.iter().zip(again).all(|(a, b)| *a == b)
    }
}

/// The batches that nobody knows about.
#[derive(Default)]
pub(super) struct Unsures(Vec<Unsure>);

impl Unsures {
    /// Remembers a batch whose commit was not answered.
    pub(super) fn note(
        &mut self,
        me: &ReplicaId,
        batch: &[Write],
        transaction: String,
        answers: Vec<Written>,
    ) {
        self.put(Unsure {
            transaction,
            answers,
            batch: batch.iter().map(|write| spelt(me, write)).collect(),
        });
    }

    /// Takes what is known of a batch that comes again.
    pub(super) fn take(&mut self, me: &ReplicaId, batch: &[Write]) -> Option<Unsure> {
        let place = self.0.iter().position(|unsure| unsure.begins(me, batch))?;
        Some(self.0.swap_remove(place))
    }

    /// Keeps it for the next try; what is oldest is given up when there are too many.
    pub(super) fn put(&mut self, unsure: Unsure) {
        if self.0.len() >= REMEMBERED {
            self.0.remove(0);
        }
        self.0.push(unsure);
    }
}

#[derive(QueryableByName)]
struct Fate {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// Whether a transaction was committed; `None` while the server is still at it.
pub(super) async fn is_committed(
    connection: &mut Connection,
    transaction: String,
) -> QueryResult<Option<bool>> {
    let fate: Fate = sql_query("SELECT pg_xact_status($1::xid8) AS value")
        .bind::<Text, _>(transaction)
        .get_result(connection)
        .await?;
    Ok(match fate.value.as_deref() {
        Some("in progress") => None,
        fate => Some(fate == Some("committed")),
    })
}

/// A write in full, to be compared.
fn spelt(me: &ReplicaId, write: &Write) -> String {
    format!("{me} {write:?}")
}
