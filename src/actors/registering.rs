//! What happens to the store before the actors start: what dead processes left is dealt with, and the configuration's
//! bots are compared with the stored ones.

use std::{collections::HashMap, sync::Arc};

use super::{counting, env::Env, gauges, persistence::tell_facts};
use crate::{
    domain::{
        Instant,
        bot::BotName,
        registration::{Registration, register, retire},
        state::BotState,
    },
    store::{Rescued, StoreError, Write, Written},
};

/// Bots written at once.
const CHUNK: usize = 1000;
/// How often a bot is planned anew when another replica was quicker.
const ROUNDS: usize = 5;

/// Deals with what dead processes left, takes over the stored breakers, then stores every added, changed and removed bot.
///
/// # Errors
/// The store is away, or answered something that it never should.
pub async fn prepare(env: Arc<Env>) -> Result<(), StoreError> {
    counting::beat(&env.metrics, &env.store.beat(&env.me).await?);
    gauges::configure(&env);
    let again = recovering(&env);
    let rescued = env.store.rescue(&env.me.id, &again, env.clock.now()).await;
    tell_facts(&env);
    log_rescued(&rescued?);
    let outdated = env.adopt_breakers(env.store.breakers().await?);
    for platform in outdated {
        // It did not accept a token that this process does not have any more.
        env.breakers.reset(&platform);
    }
    for _ in 0..ROUNDS {
        if register_all(&env).await? == 0 {
            return Ok(());
        }
    }
    Err(StoreError::Failed(
        "the bots' stored states change faster than they can be compared".into(),
    ))
}

/// An interrupted run is run again, also if failed ones are not; but one that kills its process each time is not run for ever.
const ATTEMPTS_AT_LEAST: u32 = 20;

/// The bots whose runs go on when a process dies, and how many attempts those get.
pub(super) fn recovering(env: &Env) -> HashMap<BotName, u32> {
    let in_force = env.in_force();
    let bots = in_force.bots.values();
    let bots = bots.filter(|bot| bot.policy.recover_in_flight);
    bots.map(|bot| {
        let attempts = bot.policy.retry.max_attempts.max(ATTEMPTS_AT_LEAST);
        (bot.name.clone(), attempts)
    })
    .collect()
}

/// Tells the log what became of what dead processes left.
pub fn log_rescued(rescued: &[Rescued]) {
    for one in rescued {
        match one {
            Rescued::Released(bot) => {
                tracing::info!(actor = %bot, "a dead process's claim is decided anew");
            }
            Rescued::Abandoned(bot, execution) => {
                tracing::warn!(actor = %bot, execution_id = %execution, "a dead process's run is closed as abandoned");
            }
            Rescued::Again(claim) => {
                tracing::warn!(actor = %claim.bot, execution_id = %claim.execution, "a dead process's run is run again");
            }
        }
    }
}

/// One comparison; answers how many bots have to be compared again.
async fn register_all(env: &Arc<Env>) -> Result<usize, StoreError> {
    let before = env.news.before_look();
    let states = env.store.states().await?;
    env.news.holds_are(env.clock.now(), before, &states);
    let stored: HashMap<BotName, BotState> = states
        .into_iter()
        .map(|state| (state.bot.clone(), state))
        .collect();
    let writes = changes(env, &stored);
    stored.values().for_each(|state| show(env, state));
    let mut stale = 0;
    for chunk in writes.chunks(CHUNK) {
        let answers = env.store.write(&env.me.id, chunk).await;
        tell_facts(env);
        let answers = answers?;
        for answer in &answers {
            if let Written::State(state) = answer {
                show(env, state);
            }
        }
        stale += answers
            .iter()
            .filter(|answer| matches!(answer, Written::Stale(_)))
            .count();
    }
    Ok(stale)
}

/// The board knows every bot of the configuration before anybody may ask.
fn show(env: &Env, state: &BotState) {
    if let Some(bot) = env.bot(&state.bot) {
        env.board.take_up(&bot, state);
    }
}

fn changes(env: &Env, stored: &HashMap<BotName, BotState>) -> Vec<Write> {
    let (now, in_force) = (env.clock.now(), env.in_force());
    let added = in_force.bots.iter().filter_map(|(name, bot)| {
        let before = stored.get(name);
        write(before, register(before, bot, now), now)
    });
    let dropped = stored
        .values()
        .filter(|state| !state.removed && !in_force.bots.contains_key(&state.bot))
        .filter_map(|state| write(Some(state), retire(state, now), now));
    added.chain(dropped).collect()
}

/// `None` if nothing changes.
fn write(
    before: Option<&BotState>,
    Registration { state, gaps }: Registration,
    at: Instant,
) -> Option<Write> {
    if before == Some(&state) && gaps.is_empty() {
        return None;
    }
    Some(Write::Register {
        expected: before.cloned().map(Box::new),
        state: Box::new(state),
        gaps,
        at,
    })
}
