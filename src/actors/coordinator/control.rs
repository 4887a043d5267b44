//! Holds: pause and resume. The store's word counts; memory follows it.

use std::{sync::Arc, time::Duration};

use actix::{Handler, ResponseFuture};
use futures::{StreamExt, TryStreamExt, stream};

use super::{CoordinatorActor, ME, describing::describe};
use crate::{
    actors::{
        env::Env,
        messages::{Account, ControlError, DEADLINE, Pause, Resume, ResumeAll, StateChanged},
        reading::read,
    },
    domain::{
        bot::{Bot, BotName},
        hold::{Hold, HoldKind},
        state::BotState,
    },
    store::{Write, Written},
};

/// How long the scheduler may take to account for a bot's slots, and how long to wait before it is asked again.
const PATIENCE: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_millis(50);
/// Bots that are resumed at a time: enough that their changes are stored in groups.
const AT_ONCE: usize = 128;

/// Sets a hold and tells whom it concerns. One of the same kind gives way to it, one of another kind stays.
async fn set_hold(env: &Arc<Env>, bot: BotName, hold: Hold) -> Result<BotState, ControlError> {
    // The slots before the hold are decided as slots without one.
    account(env, &bot).await;
    let (name, replace) = (bot.clone(), false);
    change(env, &name, Write::SetHold { bot, hold, replace }).await
}

/// Ends a hold; one that tells of a broken file ends with the file's mending only.
async fn clear_hold(
    env: &Arc<Env>,
    bot: BotName,
    kind: Option<HoldKind>,
) -> Result<BotState, ControlError> {
    if kind == Some(HoldKind::Invalid) {
        return describe(env, &bot).await.map(|card| card.state.clone());
    }
    // The slots under the hold keep its reason.
    account(env, &bot).await;
    let name = bot.clone();
    change(env, &name, Write::ClearHold { bot, kind }).await
}

pub(super) async fn account(env: &Env, bot: &BotName) {
    let accounted = async {
        while let Some(scheduler) = env.book.scheduler(ME) {
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

async fn change(env: &Arc<Env>, bot: &BotName, write: Write) -> Result<BotState, ControlError> {
    let _turn = env.turns.of(bot).await;
    match env.queue.ask(write, false).await {
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
    env.board.stored(state);
    if let Some(scheduler) = env.book.scheduler(ME) {
        let _ = scheduler
            .send(StateChanged(Box::new(state.clone())))
            .timeout(DEADLINE)
            .await;
    }
}

impl CoordinatorActor {
    pub(super) fn knows(&self, bot: &BotName) -> Result<Arc<Bot>, ControlError> {
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
            set_hold(&env, bot, hold).await
        })
    }
}

impl Handler<Resume> for CoordinatorActor {
    type Result = ResponseFuture<Result<BotState, ControlError>>;

    fn handle(&mut self, Resume { bot, kind }: Resume, _: &mut Self::Context) -> Self::Result {
        let (known, env) = (self.knows(&bot), Arc::clone(&self.env));
        Box::pin(async move {
            known?;
            clear_hold(&env, bot, kind).await
        })
    }
}

impl Handler<ResumeAll> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<BotName>, ControlError>>;

    fn handle(&mut self, ResumeAll(kind): ResumeAll, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move {
            if kind == HoldKind::Invalid {
                return Ok(Vec::new());
            }
            let held = held_by(&env, kind).await?;
            let resumed = stream::iter(held).map(|bot| {
                let env = Arc::clone(&env);
                async move {
                    clear_hold(&env, bot, Some(kind))
                        .await
                        .map(|state| state.bot)
                }
            });
            resumed.buffered(AT_ONCE).try_collect().await
        })
    }
}

/// The bots of this configuration that are held so, by name.
async fn held_by(env: &Env, kind: HoldKind) -> Result<Vec<BotName>, ControlError> {
    let states = read(env, |store| async move { store.states().await }).await?;
    let held = states.into_iter().filter(|state| {
        let is_it = state.hold.as_ref().is_some_and(|hold| hold.kind == kind);
        is_it && !state.removed && env.bot(&state.bot).is_some()
    });
    let mut names: Vec<BotName> = held.map(|state| state.bot).collect();
    names.sort();
    Ok(names)
}
