//! Cancelling: the run may be at work here, its claim may wait for its time, or another replica may have it.

use std::{sync::Arc, time::Duration};

use actix::{Handler, ResponseFuture};
use tokio::time::sleep;

use super::{CoordinatorActor, ME};
use crate::{
    actors::{
        env::Env,
        messages::{Cancel, CancelClaim, CancelRun, ControlError, DEADLINE},
        reading::read,
    },
    domain::{ledger::LedgerRow, outcome::Status, run::ExecutionId},
    store::{Write, Written},
};

/// A claim of this process that nobody has is between two hands: it is looked for again so often, after this time.
const ROUNDS: u32 = 5;
const AGAIN: Duration = Duration::from_millis(50);

impl Handler<Cancel> for CoordinatorActor {
    type Result = ResponseFuture<Result<(), ControlError>>;

    fn handle(&mut self, Cancel(execution): Cancel, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move { cancel(&env, execution).await })
    }
}

async fn cancel(env: &Env, execution: ExecutionId) -> Result<(), ControlError> {
    for _ in 0..ROUNDS {
        if cancel_here(env, execution).await {
            return Ok(());
        }
        let row = running(env, execution).await?;
        if row.replica.as_deref() != Some(env.me.id.as_str()) {
            return wish(env, row).await;
        }
        sleep(AGAIN).await;
    }
    let row = running(env, execution).await?;
    wish(env, row).await
}

/// Whether this process had it, and will end it.
async fn cancel_here(env: &Env, execution: ExecutionId) -> bool {
    let bot = env.runs.bot_of(execution);
    if let Some(task) = bot.and_then(|bot| env.book.task(&bot, ME)) {
        let told = task.send(CancelRun(execution)).timeout(DEADLINE).await;
        return told == Ok(true);
    }
    match env.book.scheduler(ME) {
        Some(scheduler) => {
            let told = scheduler.send(CancelClaim(execution));
            told.timeout(DEADLINE).await == Ok(true)
        }
        None => false,
    }
}

/// The row, which has not ended.
async fn running(env: &Env, execution: ExecutionId) -> Result<LedgerRow, ControlError> {
    let row = read(
        env,
        move |store| async move { store.execution(execution).await },
    )
    .await?;
    match row {
        None => Err(ControlError::UnknownRun(execution)),
        Some(row) if row.status != Status::Running => Err(ControlError::NotRunning(execution)),
        Some(row) => Ok(row),
    }
}

/// Whoever has the run is told by its next beat.
async fn wish(env: &Env, row: LedgerRow) -> Result<(), ControlError> {
    let LedgerRow { bot, id, .. } = row;
    let execution = Some(id);
    match env
        .queue
        .ask(Write::RequestCancel { bot, execution }, false)
        .await
    {
        Ok(Written::Done) => Ok(()),
        Ok(_) => Err(ControlError::NotRunning(id)),
        Err(error) => Err(ControlError::Unavailable(error.to_string())),
    }
}
