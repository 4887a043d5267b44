//! What a reload stores: every registration in one transaction, behind all that was written before it.
//!
//! A start that was launched without asking the store is in the queue already when a reload begins to doubt its bot; any later
//! start of that bot asks. So the store's order is the truth: a claim that a registration has closed never runs.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant as Monotonic;

use super::{super::ME, compare, states, unavailable};
use crate::{
    actors::{
        configuration::BotMap,
        env::Env,
        messages::{Reload, ReloadError},
        persistence::{keep_the_turn, tell_facts},
    },
    domain::{
        Instant,
        bot::BotName,
        plan::{Change, Plan},
        state::BotState,
    },
    store::{StoreError, Write, Written},
};

/// Whoever asked has given up after this time: nothing is written any more.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often it is tried when another replica was quicker, or an answer was lost, and how long to wait in between.
const ROUNDS: usize = 5;
const AGAIN: Duration = Duration::from_millis(100);

/// What was changed in the store.
pub(super) struct Stored {
    /// What was planned.
    pub(super) plan: Plan,
    /// What is stored now.
    pub(super) states: HashMap<BotName, BotState>,
}

/// Stores what follows from these bots.
pub(super) async fn store(
    env: &Env,
    wanted: &BotMap,
    begun: Monotonic,
) -> Result<Stored, ReloadError> {
    env.configuration.doubt(&differing(env, wanted));
    let result = {
        let _nobody_else_writes = keep_the_turn(env).await.map_err(unavailable)?;
        rounds(env, wanted, begun).await
    };
    if result.is_err()
        && let Some(scheduler) = env.book.scheduler(ME)
    {
        // If it was stored after all, the store knows.
        let _ = scheduler.try_send(Reload);
    }
    result
}

/// The bots whose claims may become void.
fn differing(env: &Env, wanted: &BotMap) -> Vec<BotName> {
    let in_force = env.in_force();
    let all = in_force.bots.keys().chain(wanted.keys());
    let differing = all.filter(|name| in_force.bots.get(*name) != wanted.get(*name));
    differing.cloned().collect()
}

async fn rounds(env: &Env, wanted: &BotMap, begun: Monotonic) -> Result<Stored, ReloadError> {
    let (mut first, mut trouble) = (None, String::new());
    for _ in 0..ROUNDS {
        if begun.elapsed() > PATIENCE {
            break;
        }
        match round(env, wanted).await {
            Ok((plan, Some(states))) => {
                // What is told is what changed in all rounds.
                let plan = first.unwrap_or(plan);
                return Ok(Stored { plan, states });
            }
            Ok((plan, None)) => {
                first.get_or_insert(plan);
                trouble = "other replicas changed the same bots at the same time".into();
            }
            Err(error) if error.is_transient() => {
                trouble = error.to_string();
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) => return Err(unavailable(error)),
        }
    }
    let why = match trouble.is_empty() {
        true => "the database took too long".into(),
        false => trouble,
    };
    Err(ReloadError::Unavailable(why))
}

/// One comparison and one transaction. No states: another replica was quicker with some of the bots.
async fn round(
    env: &Env,
    wanted: &BotMap,
) -> Result<(Plan, Option<HashMap<BotName, BotState>>), StoreError> {
    let mut stored = states(env).await?;
    let at = env.clock.now();
    let plan = compare(env, &stored, wanted, at);
    let changes = plan.changes.iter();
    let writes: Vec<Write> = changes
        .filter(|change| change.is_to_be_stored())
        .map(|change| registering(change, at))
        .collect();
    if writes.is_empty() {
        return Ok((plan, Some(stored)));
    }
    fail::fail_point!("reload.storing");
    let answers = env.store.write(&env.me.id, &writes).await;
    tell_facts(env);
    let mut all = true;
    for answer in answers? {
        match answer {
            Written::State(state) => {
                stored.insert(state.bot.clone(), *state);
            }
            _ => all = false,
        }
    }
    Ok((plan, all.then_some(stored)))
}

fn registering(change: &Change, at: Instant) -> Write {
    Write::Register {
        expected: change.before.clone().map(Box::new),
        state: Box::new(change.registration.state.clone()),
        gaps: change.registration.gaps.clone(),
        at,
    }
}
