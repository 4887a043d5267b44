//! Group commit: everything that waits goes into one transaction; while it commits, the next group gathers.

use tokio::time::Instant as Monotonic;

use super::{
    queue::{Batch, Pending, WriteError, WriteResult, name},
    telling,
};
use crate::{
    actors::{counting, env::Env},
    store::{StoreError, Write, Written},
};

/// The largest group; larger ones would hold locks for too long.
const LARGEST: usize = 1000;

/// Writes until the queue is empty. One does so at a time: what comes first is stored first.
///
/// # Errors
/// The store is away; what is kept is back in the queue.
pub(super) async fn flush(env: &Env) -> Result<(), StoreError> {
    let _turn = env.queue.turn().await;
    loop {
        let batch = env.queue.take(LARGEST);
        if batch.pending.is_empty() {
            return Ok(());
        }
        write(batch, env).await?;
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
        write(batch, env).await?;
    }
    Ok(turn)
}

async fn write(mut batch: Batch, env: &Env) -> Result<(), StoreError> {
    fail::fail_point!("persistence.write");
    let writes: Vec<Write> = batch
        .pending
        .iter()
        .map(|pending| pending.write.clone())
        .collect();
    match store(env, &writes).await {
        Ok(answers) => {
            env.queue.back();
            for (pending, answer) in batch.pending.drain(..).zip(answers) {
                answer_to(env, pending, Ok(answer));
            }
            telling::tell_facts(env);
            Ok(())
        }
        Err(error) if may_pass(&error) => {
            batch.broke = matches!(error, StoreError::Broken(_));
            if !batch.broke {
                env.queue.away();
            }
            Err(error)
        }
        Err(_) if batch.pending.len() > 1 => one_by_one(batch, env).await,
        Err(error) => {
            for pending in batch.pending.drain(..) {
                tracing::error!(%error, write = name(&pending.write), "the store refused a write");
                answer_to(env, pending, Err(WriteError::Failed(error.to_string())));
            }
            Ok(())
        }
    }
}

/// One transaction.
async fn store(env: &Env, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
    let asked = Monotonic::now();
    let answer = env.store.write(&env.me.id, writes).await;
    counting::asked_store(&env.metrics, &answer, asked.elapsed());
    answer
}

/// One write that the store refuses must not take the others of its group with it.
async fn one_by_one(mut batch: Batch, env: &Env) -> Result<(), StoreError> {
    while let Some(first) = batch.pending.first() {
        let write = std::slice::from_ref(&first.write);
        let answer = match store(env, write).await {
            Ok(mut answers) => answers
                .pop()
                .ok_or_else(|| WriteError::Failed("the store gave no answer".into())),
            Err(error) if may_pass(&error) => return Err(error),
            Err(error) => {
                tracing::error!(%error, write = name(&first.write), "the store refused a write");
                Err(WriteError::Failed(error.to_string()))
            }
        };
        answer_to(env, batch.pending.remove(0), answer);
        telling::tell_facts(env);
    }
    Ok(())
}

fn answer_to(env: &Env, pending: Pending, answer: WriteResult) {
    if let Ok(written) = &answer {
        telling::tell(env, &pending.write, written);
    }
    if let Some(reply) = pending.reply {
        let _ = reply.send(answer);
    }
}

/// Whether the same write may succeed later. To a process at work that is everything but a broken statement: also
/// credentials that are being changed, or a schema that is being moved.
const fn may_pass(error: &StoreError) -> bool {
    !matches!(error, StoreError::Failed(_))
}
