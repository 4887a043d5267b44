//! Writing a batch: once, whatever breaks.

use std::sync::{MutexGuard, PoisonError};

use diesel::QueryResult;

use super::{
    PostgresStore,
    batch::Batch,
    connection::Connection,
    error,
    facts::Stored,
    needs::Needs,
    unsure::{Unsure, Unsures},
};
use crate::{
    domain::run::ReplicaId,
    store::{StoreError, Write, Written},
};

/// How often a batch is tried when another process changes what no lock protects.
const TRIES: usize = 3;

impl PostgresStore {
    /// Carries out a batch, or what is left of one whose first try may have been stored.
    pub(super) async fn write_batch(
        &self,
        me: &ReplicaId,
        batch: &[Write],
    ) -> Result<Vec<Written>, StoreError> {
        let unsure = self.unsures().take(me, batch);
        match unsure {
            Some(unsure) => self.write_rest(me, batch, unsure).await,
            None => self.write_new(me, batch).await,
        }
    }

    fn unsures(&self) -> MutexGuard<'_, Unsures> {
        self.unsures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write_new(&self, me: &ReplicaId, batch: &[Write]) -> Result<Vec<Written>, StoreError> {
        let mut tries = 1;
        loop {
            let (id, writes) = (me.clone(), batch.to_vec());
            let done = self.change(move |c| Box::pin(write(c, id, writes))).await;
            match done {
                Ok(stored) => return Ok(stored.answer),
                Err(broken) if error::has_moved(&broken.error) && tries < TRIES => tries += 1,
                Err(broken) => {
                    if let Some(Stored {
                        answer,
                        transaction: Some(transaction),
                        ..
                    }) = broken.unsure
                    {
                        self.unsures().note(me, batch, transaction, answer);
                    }
                    return Err(broken.error);
                }
            }
        }
    }

    /// A batch comes again whose commit was not answered, perhaps with more behind it.
    async fn write_rest(
        &self,
        me: &ReplicaId,
        batch: &[Write],
        unsure: Unsure,
    ) -> Result<Vec<Written>, StoreError> {
        let fate = self.fate_of(&unsure.transaction).await;
        let rest = batch.get(unsure.answers.len()..).unwrap_or_default();
        let more = match fate {
            Ok(Some(false)) => return self.write_new(me, batch).await,
            Ok(Some(true)) if rest.is_empty() => return Ok(unsure.answers),
            Ok(Some(true)) => Box::pin(self.write_batch(me, rest)).await,
            Ok(None) => Err(StoreError::Unavailable(
                "an earlier transaction has not ended yet".to_owned(),
            )),
            Err(error) => Err(error),
        };
        match more {
            Ok(more) => Ok(unsure.answers.into_iter().chain(more).collect()),
            Err(error) => {
                self.unsures().put(unsure);
                Err(error)
            }
        }
    }
}

async fn write(
    connection: &mut Connection,
    me: ReplicaId,
    writes: Vec<Write>,
) -> QueryResult<Stored<Vec<Written>>> {
    let mut batch = Batch::load(connection, me, Needs::of(&writes)).await?;
    let mut written: Vec<Written> = writes.iter().map(|write| batch.apply(write)).collect();
    let doubled = batch.flush(connection).await?;
    for answer in &mut written {
        if matches!(answer, Written::Claimed(Some(id)) if doubled.contains(id)) {
            *answer = Written::Claimed(None);
        }
    }
    Ok(batch.stored(written))
}
