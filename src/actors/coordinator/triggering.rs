//! Runs that no slot asked for: by hand, and for events. The bots' actors start them; here is found who they are for.

use std::{sync::Arc, time::Duration};

use actix::{Handler, ResponseFuture};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{CoordinatorActor, ME, describing::describe};
use crate::{
    actors::{
        env::Env,
        mail::Mailbox,
        messages::{BotCard, ControlError, DEADLINE, StartEvent, TriggerHere, TriggerRun, Wake},
        reading::read,
        supervision::Child,
        task::TaskActor,
    },
    domain::{
        bot::{Bot, BotName},
        hold::HoldKind,
        input::RunInput,
        ledger::LedgerQuery,
        outcome::Status,
        policy::Overlap,
        run::{ExecutionId, Trigger},
    },
};

/// How long to wait for the successor of an actor that rests.
const AGAIN: Duration = Duration::from_millis(20);
/// Bots that an event is told at a time.
const AT_ONCE: usize = 64;
/// Runs of one bot that are looked at.
const MANY: u32 = 100;

impl CoordinatorActor {
    fn may_trigger(&self, bot: &BotName) -> Result<Arc<Bot>, ControlError> {
        self.is_at_work()?;
        let bot = self.knows(bot)?;
        match &bot.quarantine {
            Some(problem) => Err(ControlError::Invalid(bot.name.clone(), problem.clone())),
            None => Ok(bot),
        }
    }

    fn is_at_work(&self) -> Result<(), ControlError> {
        let stopping = || ControlError::Unavailable("the process is stopping".into());
        if self.stopping {
            Err(stopping())
        } else {
            Ok(())
        }
    }

    /// Bots that listen for this type, letter by letter.
    fn listeners(&self, event_type: &str) -> Vec<BotName> {
        let cards = self.env.board.list().cards;
        let listens = |bot: &Bot| {
            let types = &bot.policy.on_event;
            bot.enabled && types.iter().any(|listened| listened == event_type)
        };
        let listening = cards.iter().filter(|card| listens(&card.bot));
        listening.map(|card| card.bot.name.clone()).collect()
    }
}

impl Handler<TriggerRun> for CoordinatorActor {
    type Result = ResponseFuture<Result<ExecutionId, ControlError>>;

    fn handle(&mut self, trigger: TriggerRun, _: &mut Self::Context) -> Self::Result {
        let TriggerRun { bot, input } = trigger;
        let known = self.may_trigger(&bot);
        if known.is_ok() {
            // A run by hand is a new start, also for an actor that was given up.
            self.roster.forgive(&Child::Task(bot));
        }
        let env = Arc::clone(&self.env);
        Box::pin(async move { trigger_by_hand(&env, &*known?, input).await })
    }
}

async fn trigger_by_hand(
    env: &Arc<Env>,
    bot: &Bot,
    input: Value,
) -> Result<ExecutionId, ControlError> {
    let must_be_alone = bot.policy.overlap == Overlap::Skip;
    if must_be_alone && env.store.is_shared() && runs_elsewhere(env, &bot.name).await {
        return Err(ControlError::Busy(bot.name.clone()));
    }
    let wish = || TriggerHere {
        trigger: Trigger::Manual,
        input: input.clone(),
        hold: None,
        key: None,
    };
    tell(env, &bot.name, wish).await
}

/// Whether another replica is at work on the bot. If this cannot be read now, the store decides at the start.
async fn runs_elsewhere(env: &Env, bot: &BotName) -> bool {
    let query = LedgerQuery {
        bot: Some(bot.clone()),
        status: Some(Status::Running),
        limit: MANY,
        ..LedgerQuery::default()
    };
    let rows = read(env, |store| async move { store.executions(&query).await }).await;
    let me = env.me.id.as_str();
    let mut rows = rows.into_iter().flatten();
    rows.any(|row| row.started_at.is_some() && row.replica.as_deref() != Some(me))
}

impl Handler<StartEvent> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<(BotName, ExecutionId)>, ControlError>>;

    fn handle(&mut self, event: StartEvent, _: &mut Self::Context) -> Self::Result {
        let (at_work, listeners) = (self.is_at_work(), self.listeners(&event.event_type));
        let (env, event) = (Arc::clone(&self.env), Arc::new(event));
        Box::pin(async move {
            at_work?;
            let started = stream::iter(listeners).map(|bot| {
                let (env, event) = (Arc::clone(&env), Arc::clone(&event));
                async move {
                    let execution = start_for(&env, &bot, &event).await?;
                    Ok((bot, execution))
                }
            });
            started.buffered(AT_ONCE).try_collect().await
        })
    }
}

async fn start_for(
    env: &Arc<Env>,
    bot: &BotName,
    event: &StartEvent,
) -> Result<ExecutionId, ControlError> {
    let hold = stands_against(env, &*describe(env, bot).await?);
    let input = RunInput::of_event(&event.event_type, &event.source, &event.payload);
    let input = RunInput::traced(input, event.trace.clone());
    let wish = || TriggerHere {
        trigger: Trigger::Event,
        input: input.clone(),
        hold,
        key: event.key.clone(),
    };
    tell(env, bot, wish).await
}

/// The hold that an event meets.
fn stands_against(env: &Env, card: &BotCard) -> Option<HoldKind> {
    if card.bot.quarantine.is_some() {
        return Some(HoldKind::Invalid);
    }
    let hold = card.state.hold.as_ref();
    hold.filter(|hold| !hold.is_over(env.clock.now()))
        .map(|hold| hold.kind)
}

/// Tells the bot's actor, or its successor if it goes to rest just now.
async fn tell(
    env: &Arc<Env>,
    bot: &BotName,
    wish: impl Fn() -> TriggerHere,
) -> Result<ExecutionId, ControlError> {
    let unavailable = |why: &str| ControlError::Unavailable(why.into());
    let telling = async {
        loop {
            let task = woken(env, bot).await;
            let task = task.ok_or_else(|| unavailable("the bot's actor is being restarted"))?;
            match task.send(wish()).await {
                Ok(Some(answer)) => return answer,
                Ok(None) => sleep(AGAIN).await,
                Err(_) => return Err(unavailable("the bot's actor died of something else")),
            }
        }
    };
    let answer = timeout(DEADLINE, telling).await;
    answer.unwrap_or_else(|_| Err(unavailable("the bot's actor did not answer in time")))
}

async fn woken(env: &Env, bot: &BotName) -> Option<Mailbox<TaskActor>> {
    let coordinator = env.book.coordinator(ME)?;
    let task = coordinator.send(Wake(bot.clone())).await.ok().flatten()?;
    Some(env.book.mailbox(task, ME))
}
