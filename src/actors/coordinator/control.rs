//! What operators want: pause, resume, trigger, cancel. The store's word counts; memory follows it.

use std::{sync::Arc, time::Duration};

use actix::{Handler, ResponseFuture};

use super::CoordinatorActor;
use crate::{
    actors::{
        env::Env,
        messages::{
            Account, Cancel, CancelRun, ControlError, DEADLINE, Pause, Resume, StateChanged,
            TriggerHere, TriggerRun, Wake,
        },
        supervision::Child,
    },
    domain::{
        bot::{Bot, BotName},
        hold::{Hold, HoldKind},
        run::ExecutionId,
        state::BotState,
    },
    store::{Write, Written},
};

/// How long the scheduler may take to account for a bot's slots, and how long to wait before it is asked again.
const PATIENCE: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_millis(50);

/// Sets a hold and tells whom it concerns.
pub(super) async fn set_hold(
    env: &Arc<Env>,
    bot: &BotName,
    hold: Hold,
    kept: bool,
) -> Result<BotState, ControlError> {
    // The slots before the hold are decided as slots without one.
    account(env, bot).await;
    change(
        env,
        bot,
        Write::SetHold {
            bot: bot.clone(),
            hold,
            replace: false,
        },
        kept,
    )
    .await
}

async fn clear_hold(
    env: &Arc<Env>,
    bot: &BotName,
    kind: Option<HoldKind>,
) -> Result<BotState, ControlError> {
    // The slots under the hold keep its reason.
    account(env, bot).await;
    change(
        env,
        bot,
        Write::ClearHold {
            bot: bot.clone(),
            kind,
        },
        false,
    )
    .await
}

pub(super) async fn account(env: &Env, bot: &BotName) {
    let accounted = async {
        while let Some(scheduler) = env.book.scheduler() {
            if let Ok(true) = scheduler.send(Account(bot.clone())).await {
                return;
            }
            // Its memory was behind the store's, or it is at work on the bot right now.
            tokio::time::sleep(AGAIN).await;
        }
    };
    if tokio::time::timeout(PATIENCE, accounted).await.is_err() {
        tracing::warn!(actor = %bot, "the slots before the change of the hold are accounted for later");
    }
}

async fn change(
    env: &Arc<Env>,
    bot: &BotName,
    write: Write,
    kept: bool,
) -> Result<BotState, ControlError> {
    match env.queue.ask(write, kept).await {
        Ok(Written::State(state)) => {
            spread(env, &state).await;
            Ok(*state)
        }
        Ok(_) => Err(ControlError::UnknownBot(bot.clone())),
        Err(error) => Err(ControlError::Unavailable(error.to_string())),
    }
}

/// Memory follows the store.
async fn spread(env: &Arc<Env>, state: &BotState) {
    if let Some(scheduler) = env.book.scheduler() {
        let _ = scheduler
            .send(StateChanged(Box::new(state.clone())))
            .timeout(DEADLINE)
            .await;
    }
}

impl CoordinatorActor {
    fn knows(&self, bot: &BotName) -> Result<Arc<Bot>, ControlError> {
        let known = self.env.bot(bot);
        known.ok_or_else(|| ControlError::UnknownBot(bot.clone()))
    }
}

impl Handler<Pause> for CoordinatorActor {
    type Result = ResponseFuture<Result<BotState, ControlError>>;

    fn handle(&mut self, Pause { bot, hold }: Pause, _: &mut Self::Context) -> Self::Result {
        let (known, env) = (self.knows(&bot), Arc::clone(&self.env));
        Box::pin(async move {
            known?;
            set_hold(&env, &bot, hold, false).await
        })
    }
}

impl Handler<Resume> for CoordinatorActor {
    type Result = ResponseFuture<Result<BotState, ControlError>>;

    fn handle(&mut self, Resume { bot, kind }: Resume, _: &mut Self::Context) -> Self::Result {
        let (known, env) = (self.knows(&bot), Arc::clone(&self.env));
        Box::pin(async move {
            known?;
            clear_hold(&env, &bot, kind).await
        })
    }
}

impl Handler<TriggerRun> for CoordinatorActor {
    type Result = ResponseFuture<Result<ExecutionId, ControlError>>;

    fn handle(
        &mut self,
        TriggerRun { bot, input }: TriggerRun,
        ctx: &mut Self::Context,
    ) -> Self::Result {
        let known = self.knows(&bot).and_then(|bot| match &bot.quarantine {
            Some(problem) => Err(ControlError::Invalid(bot.name.clone(), problem.clone())),
            None => Ok(()),
        });
        // A run by hand is a new start, also for an actor that was given up.
        self.roster.forgive(&Child::Task(bot.clone()));
        let task = known
            .is_ok()
            .then(|| Handler::<Wake>::handle(self, Wake(bot), ctx));
        Box::pin(async move {
            known?;
            let task = task.flatten();
            let task = task.ok_or_else(|| {
                ControlError::Unavailable("the bot's actor is being restarted".into())
            })?;
            let answer = task.send(TriggerHere(input)).timeout(DEADLINE).await;
            answer.unwrap_or_else(|error| Err(ControlError::Unavailable(error.to_string())))
        })
    }
}

impl Handler<Cancel> for CoordinatorActor {
    type Result = ResponseFuture<Result<(), ControlError>>;

    fn handle(&mut self, Cancel(execution): Cancel, _: &mut Self::Context) -> Self::Result {
        let task = self
            .env
            .runs
            .bot_of(execution)
            .and_then(|bot| self.env.book.task(&bot));
        Box::pin(async move {
            let task = task.ok_or(ControlError::NotRunning(execution))?;
            match task.send(CancelRun(execution)).timeout(DEADLINE).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(ControlError::NotRunning(execution)),
                Err(error) => Err(ControlError::Unavailable(error.to_string())),
            }
        })
    }
}
