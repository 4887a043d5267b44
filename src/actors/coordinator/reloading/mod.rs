//! Reloading: read, validate, compare with what is stored, store, and only then change memory. All of it or nothing.
//!
//! One reload at a time, also of several that are asked for at once. It is carried out beside the actors, so that the death
//! of one leaves none half done; a process that dies in the middle finds the rest at its next start, because what is stored
//! is what that start would have stored.

mod report;
mod storing;

use std::{collections::HashMap, sync::Arc};

use actix::{Handler, ResponseFuture};
use futures::future::join_all;
use serde_json::Value;
use tokio::time::Instant as Monotonic;

use self::storing::Stored;
use super::{CoordinatorActor, ME, control};
use crate::{
    actors::{
        configuration::{BotMap, Offer},
        env::Env,
        gauges,
        messages::{DEADLINE, Reconfigured, ReloadConfiguration, ReloadError, ShowConfiguration},
        news::Happening,
        roster::Roster,
        supervision::Child,
    },
    domain::{
        Instant,
        bot::{Bot, BotName},
        plan::{ChangeKind, Comparison, Plan},
        state::BotState,
    },
    store::StoreError,
};

impl Handler<ReloadConfiguration> for CoordinatorActor {
    type Result = ResponseFuture<Result<Value, ReloadError>>;

    fn handle(&mut self, reload: ReloadConfiguration, _: &mut Self::Context) -> Self::Result {
        if self.stopping {
            let error = ReloadError::Unavailable("the server is stopping".into());
            return Box::pin(async move { Err(error) });
        }
        let (env, roster) = (Arc::clone(&self.env), self.roster.clone());
        let work = self.env.runtime.spawn(in_turn(env, roster, reload.dry_run));
        Box::pin(async move {
            let died = |error| {
                Err(ReloadError::Unavailable(format!(
                    "the reload ended: {error}"
                )))
            };
            work.await.unwrap_or_else(died)
        })
    }
}

impl Handler<ShowConfiguration> for CoordinatorActor {
    type Result = ResponseFuture<Value>;

    fn handle(&mut self, _: ShowConfiguration, _: &mut Self::Context) -> Self::Result {
        let in_force = self.env.in_force();
        let drawn = self.env.runtime.spawn_blocking(move || (in_force.shown)());
        Box::pin(async move { drawn.await.unwrap_or_default() })
    }
}

async fn in_turn(env: Arc<Env>, roster: Roster, dry_run: bool) -> Result<Value, ReloadError> {
    let _turn = env.configuration.turn().await;
    let begun = Monotonic::now();
    let offer = read(&env).await;
    if dry_run {
        return match offer {
            Ok(offer) => rehearse(&env, &offer).await,
            Err(error) => Err(error),
        };
    }
    let result = match offer {
        Ok(offer) => apply(&env, &roster, offer, begun).await,
        Err(error) => Err(error),
    };
    report::tell(&env, &result, begun.elapsed());
    result
}

/// Reads the files, away from the threads that must not wait.
async fn read(env: &Env) -> Result<Offer, ReloadError> {
    let Some(source) = env.configuration.source() else {
        let problem = "this server was not started from files, so there is nothing to read again";
        return Err(ReloadError::Problems(vec![problem.into()]));
    };
    let read = tokio::task::spawn_blocking(move || source.read()).await;
    match read {
        Ok(offer) => offer.map_err(ReloadError::Problems),
        Err(died) => Err(ReloadError::Problems(vec![format!(
            "reading the files ended early: {died}"
        )])),
    }
}

async fn rehearse(env: &Env, offer: &Offer) -> Result<Value, ReloadError> {
    let stored = states(env).await.map_err(unavailable)?;
    let plan = compare(env, &stored, &offer.bots, env.clock.now());
    Ok(report::report(&plan, offer, true))
}

async fn apply(
    env: &Env,
    roster: &Roster,
    offer: Offer,
    begun: Monotonic,
) -> Result<Value, ReloadError> {
    if env.queue.is_away() {
        return Err(ReloadError::Unavailable("the database is away".into()));
    }
    account_for_what_opens_or_closes(env, &offer.bots).await;
    let stored = storing::store(env, &offer.bots, begun).await?;
    fail::fail_point!("reload.stored");
    let report = report::report(&stored.plan, &offer, false);
    take_effect(env, roster, offer, stored).await;
    Ok(report)
}

/// The slots before a bot is switched on or off, or its file breaks or is mended, are decided as they were.
async fn account_for_what_opens_or_closes(env: &Env, wanted: &BotMap) {
    let closed = |bot: &Bot| (bot.enabled, bot.quarantine.is_some());
    let in_force = env.in_force();
    let turned = in_force.bots.values().filter(|bot| {
        let after = wanted.get(&bot.name);
        after.is_some_and(|after| closed(after) != closed(bot))
            || (!bot.enabled && differs(bot, after))
    });
    join_all(turned.map(|bot| control::account(env, &bot.name))).await;
}

fn differs(bot: &Arc<Bot>, after: Option<&Arc<Bot>>) -> bool {
    after != Some(bot)
}

/// Memory follows the store: everybody who looks from now on sees the new configuration, and who remembers is told.
async fn take_effect(env: &Env, roster: &Roster, offer: Offer, stored: Stored) {
    let before = env.in_force();
    if !offer.platforms.is_empty() {
        for (name, platform) in offer.platforms {
            env.platforms.set(name, platform);
            // A token that was refused says nothing of this one.
            env.tell_of(env.breakers.reset(name));
        }
        env.leftovers.wake();
    }
    let bots = offer.bots.clone();
    env.configuration
        .replace(offer.bots, offer.max_consecutive_failures, offer.shown);
    gauges::configure(env);
    (offer.accept)();
    let gone = before.bots.keys().filter(|name| !bots.contains_key(name));
    let removed: Vec<BotName> = gone.cloned().collect();
    for bot in &removed {
        roster.forget(&Child::Task(bot.clone()));
    }
    tell_of_holds(env, &stored);
    let taken_up = stored.taken_up(&bots);
    if let Some(scheduler) = env.book.scheduler(ME) {
        // One that is being rebuilt reads all of this when it starts; one that is slow finds it in its mailbox.
        let told = scheduler.send(Reconfigured { taken_up, removed });
        let _ = told.timeout(DEADLINE).await;
    }
}

/// The hold `invalid` comes and goes with the files.
fn tell_of_holds(env: &Env, stored: &Stored) {
    let now = env.clock.now();
    for change in &stored.plan.changes {
        let before = change.before.as_ref().and_then(|state| state.hold.as_ref());
        let bot = change.bot.clone();
        match (before, &change.registration.state.hold) {
            (None, Some(hold)) => {
                let hold = hold.clone();
                env.news.tell(now, Happening::HoldSet { bot, hold });
            }
            (Some(_), None) => env.news.tell(now, Happening::HoldCleared { bot }),
            _ => {}
        }
    }
}

fn compare(env: &Env, stored: &HashMap<BotName, BotState>, wanted: &BotMap, now: Instant) -> Plan {
    let in_force = env.in_force();
    Comparison {
        stored,
        at_work: Some(&in_force.bots),
        wanted,
        now,
    }
    .plan()
}

async fn states(env: &Env) -> Result<HashMap<BotName, BotState>, StoreError> {
    let states = env.store.states().await?.into_iter();
    Ok(states.map(|state| (state.bot.clone(), state)).collect())
}

fn unavailable(error: StoreError) -> ReloadError {
    ReloadError::Unavailable(error.to_string())
}

impl Stored {
    /// What the scheduler has to know anew.
    fn taken_up(&self, bots: &BotMap) -> Vec<(Arc<Bot>, BotState)> {
        let kept = self.plan.changes.iter();
        let kept = kept.filter(|change| change.kind != ChangeKind::Removed);
        let known = kept.filter_map(|change| {
            let bot = bots.get(&change.bot)?;
            Some((Arc::clone(bot), self.states.get(&change.bot)?.clone()))
        });
        known.collect()
    }
}
