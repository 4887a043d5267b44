//! Group commit: everything that waits goes into one transaction; while it commits, the next group gathers.

use std::sync::Arc;

use super::queue::{Batch, Pending, WriteError, WriteQueue, name};
use crate::{
    actors::env::Env,
    domain::run::ReplicaId,
    store::{StatePersistence, StoreError, Write},
};

/// The largest group; larger ones would hold locks for too long.
const LARGEST: usize = 1000;

/// Writes until the queue is empty. One does so at a time: what comes first is stored first.
///
/// # Errors
/// The store is away; what is kept is back in the queue.
pub(super) async fn flush(
    queue: &WriteQueue,
    store: &Arc<dyn StatePersistence>,
    me: &ReplicaId,
) -> Result<(), StoreError> {
    let _turn = queue.turn().await;
    loop {
        let batch = queue.take(LARGEST);
        if batch.pending.is_empty() {
            return Ok(());
        }
        write(batch, queue, store, me).await?;
    }
}

/// Stores everything that has arrived, and keeps the turn: as long as the answer lives nobody else writes from here.
///
/// # Errors
/// The store is away; what is kept is back in the queue.
pub(in crate::actors) async fn keep_the_turn(env: &Env) -> Result<impl Sized + '_, StoreError> {
    let turn = env.queue.turn().await;
    let mut left = env.queue.len();
    while left > 0 {
        let batch = env.queue.take(left.min(LARGEST));
        if batch.pending.is_empty() {
            break;
        }
        left = left.saturating_sub(batch.pending.len());
        write(batch, &env.queue, &env.store, &env.me.id).await?;
    }
    Ok(turn)
}

async fn write(
    mut batch: Batch,
    queue: &WriteQueue,
    store: &Arc<dyn StatePersistence>,
    me: &ReplicaId,
) -> Result<(), StoreError> {
    fail::fail_point!("persistence.write");
    let writes: Vec<Write> = batch
        .pending
        .iter()
        .map(|pending| pending.write.clone())
        .collect();
    match store.write(me, &writes).await {
        Ok(answers) => {
            queue.back();
            for (pending, answer) in batch.pending.drain(..).zip(answers) {
                answer_to(pending, Ok(answer));
            }
            Ok(())
        }
        Err(error) if may_pass(&error) => {
            batch.broke = matches!(error, StoreError::Broken(_));
            if !batch.broke {
                queue.away();
            }
            Err(error)
        }
        Err(_) if batch.pending.len() > 1 => one_by_one(batch, store, me).await,
        Err(error) => {
            for pending in batch.pending.drain(..) {
                tracing::error!(%error, write = name(&pending.write), "the store refused a write");
                answer_to(pending, Err(WriteError::Failed(error.to_string())));
            }
            Ok(())
        }
    }
}

/// One write that the store refuses must not take the others of its group with it.
async fn one_by_one(
    mut batch: Batch,
    store: &Arc<dyn StatePersistence>,
    me: &ReplicaId,
) -> Result<(), StoreError> {
    while let Some(first) = batch.pending.first() {
        let answer = match store.write(me, std::slice::from_ref(&first.write)).await {
            Ok(mut answers) => answers
                .pop()
                .ok_or_else(|| WriteError::Failed("the store gave no answer".into())),
            Err(error) if may_pass(&error) => return Err(error),
            Err(error) => {
                tracing::error!(%error, write = name(&first.write), "the store refused a write");
                Err(WriteError::Failed(error.to_string()))
            }
        };
        answer_to(batch.pending.remove(0), answer);
    }
    Ok(())
}

fn answer_to(pending: Pending, answer: super::queue::WriteResult) {
    if let Some(reply) = pending.reply {
        let _ = reply.send(answer);
    }
}

/// Whether the same write may succeed later. To a process at work that is everything but a broken statement: also
/// credentials that are being changed, or a schema that is being moved.
const fn may_pass(error: &StoreError) -> bool {
    !matches!(error, StoreError::Failed(_))
}
