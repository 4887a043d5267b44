//! What is not counted as it happens but read: at a scrape from memory, and every five seconds from the store.
//!
//! No run pays for any of this, and no reading holds up another.

use std::{cmp::Reverse, sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::{
    breakers::Downstream,
    env::{CONSOLE, Env},
    messages::BotCard,
};
use crate::{
    domain::{Instant, bot::BotName, breaker::Breaker},
    store::StoreError,
    telemetry::{
        collector::Trouble,
        metrics::{
            Metrics, Picture,
            downstreams::DATABASE,
            raise,
            states::{BotRow, Circuit},
        },
    },
};

/// How long the store may take over one reading.
const PATIENCE: Duration = Duration::from_secs(5);

/// A bot whose next slot has been due for so long and has not started is not well.
const OVERDUE: TimeDelta = TimeDelta::seconds(10);

/// Everything, in Prometheus's text format.
#[must_use]
pub fn render(env: &Env) -> String {
    let cards = env.board.list().cards;
    let _turn = env.metrics.turn();
    count(env, &cards);
    let moment = Moment::of(env);
    let mut bots: Vec<(Reverse<u8>, BotRow<'_>)> = cards
        .iter()
        .map(|card| (Reverse(urgency(card, moment.now)), moment.row(card)))
        .collect();
    // The cards are in the order of their names, and stay so among themselves.
    bots.sort_by_key(|(urgency, _)| *urgency);
    let breakers = env.breakers_of_bots();
    let mut circuits: Vec<(&str, Circuit)> = breakers
        .iter()
        .map(|(name, breaker)| (name.as_str(), circuit(breaker)))
        .collect();
    circuits.sort_by_key(|(_, circuit)| Reverse(*circuit as u8));
    let bots = bots.into_iter().map(|(_, row)| row).collect();
    env.metrics.render(&Picture { bots, circuits })
}

/// The bots are these now: those that are gone have no series any more.
pub(super) fn configure(env: &Env) {
    let in_force = env.in_force();
    name_bots(&env.metrics, in_force.bots.keys());
}

/// What is known before there is a store: the bots, whose runs are 0, and that nothing has answered yet.
pub fn begin<'a>(metrics: &Metrics, bots: impl Iterator<Item = &'a BotName>) {
    name_bots(metrics, bots);
    let database = metrics.downstreams.connected.with_label_values(&[DATABASE]);
    database.set(0);
}

fn name_bots<'a>(metrics: &Metrics, bots: impl Iterator<Item = &'a BotName>) {
    let mut names: Vec<&str> = bots.map(BotName::as_str).collect();
    names.sort_unstable();
    metrics.bots.configure(names);
}

/// What is one number.
fn count(env: &Env, cards: &[Arc<BotCard>]) {
    let metrics = &env.metrics;
    let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let scheduling = &metrics.scheduling;
    let is_paused = |card: &&Arc<BotCard>| card.state.hold.is_some();
    let runs_on =
        |card: &&Arc<BotCard>| !is_paused(card) && card.bot.enabled && next(card).is_some();
    scheduling.active.set(whole(env.runs.at_work()));
    scheduling.waiting.set(whole(env.runs.waiting()));
    scheduling
        .paused
        .set(whole(cards.iter().filter(is_paused).count()));
    scheduling
        .scheduled
        .set(whole(cards.iter().filter(runs_on).count()));
    let downstreams = &metrics.downstreams;
    let database = i64::from(env.vitals.database());
    downstreams
        .connected
        .with_label_values(&[DATABASE])
        .set(database);
    downstreams.queue.set(whole(env.queue.len()));
    raise(&downstreams.lost, env.queue.refused());
    metrics.stream_listeners.set(whole(env.news.listeners()));
    raise(&metrics.stream_dropped, env.news.dropped());
    let reloads = env.configuration.reloads();
    for (result, count) in [
        ("applied", reloads.applied),
        ("refused", reloads.refused),
        ("unavailable", reloads.unavailable),
    ] {
        raise(&metrics.config_reloads.with_label_values(&[result]), count);
    }
}

fn next(card: &BotCard) -> Option<Instant> {
    card.claimed.or(card.state.next_run)
}

/// How much somebody should look at this bot.
fn urgency(card: &BotCard, now: Instant) -> u8 {
    if card.state.hold.is_some() {
        return 3;
    }
    if card.state.consecutive_failures > 0 {
        return 2;
    }
    let overdue = next(card).is_some_and(|next| now - next > OVERDUE);
    u8::from(overdue && card.bot.enabled)
}

/// What holds for all bots alike.
struct Moment<'a> {
    env: &'a Env,
    now: Instant,
    database: bool,
    console: bool,
}

impl<'a> Moment<'a> {
    fn of(env: &'a Env) -> Self {
        let console = env.metrics.downstreams.answers(CONSOLE);
        Self {
            env,
            now: env.clock.now(),
            database: env.vitals.database(),
            console: console && env.platforms.get(CONSOLE).is_some(),
        }
    }

    fn row<'b>(&self, card: &'b BotCard) -> BotRow<'b> {
        let seconds = |at: Option<Instant>| at.map(|at| at.timestamp());
        let mut dependencies = vec![(DATABASE, self.database)];
        if let Some(platform) = Downstream::platform_of(&card.bot) {
            dependencies.push((platform, self.is_well(card, platform)));
        }
        BotRow {
            name: card.bot.name.as_str(),
            paused: card.state.hold.is_some(),
            failures: card.state.consecutive_failures,
            last_success: seconds(card.state.last_success),
            next_run: seconds(next(card)),
            dependencies,
        }
    }

    /// Whether posts of this bot would be sent now. The console has no breaker: its last answer tells.
    fn is_well(&self, card: &BotCard, platform: &str) -> bool {
        let breakers = &self.env.breakers;
        let Some(downstream) = Downstream::of(&card.bot) else {
            return self.console;
        };
        let closed = |name: &str| breakers.get(name).is_closed();
        let open = breakers.are_all_closed() || breakers.names(&downstream).all(closed);
        open && self.env.platforms.get(platform).is_some()
    }
}

const fn circuit(breaker: &Breaker) -> Circuit {
    match breaker {
        Breaker::Closed { .. } => Circuit::Closed,
        Breaker::HalfOpen { .. } => Circuit::HalfOpen,
        Breaker::Open { .. } => Circuit::Open,
    }
}

/// Asks the store again and again for what only the store knows.
pub async fn keep_reading(env: Arc<Env>, every: Duration) {
    let (mut outbox, mut dead) = (Trouble::with("outbox"), Trouble::with("dead posts"));
    let mut schema = Trouble::with("schema version");
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let store = Arc::clone(&env.store);
        let posts = read(&env, async move { store.outbox().await }).await;
        if let Some(posts) = outbox.heard(posts) {
            let posts = i64::try_from(posts).unwrap_or(i64::MAX);
            env.metrics.downstreams.outbox.set(posts);
        }
        let store = Arc::clone(&env.store);
        let posts = read(&env, async move { store.dead_posts().await }).await;
        if let Some(posts) = dead.heard(posts) {
            let posts = i64::try_from(posts).unwrap_or(i64::MAX);
            env.metrics.downstreams.dead.set(posts);
        }
        let store = Arc::clone(&env.store);
        let version = read(&env, async move { store.schema_version().await }).await;
        if let Some(version) = schema.heard(version) {
            env.metrics.system.schema.set(version);
        }
    }
}

/// One reading; whatever happens to it, it is over in time.
async fn read<T: Send + 'static>(
    env: &Env,
    asked: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, String> {
    let asked = env.runtime.spawn(tokio::time::timeout(PATIENCE, asked));
    match asked.await {
        Ok(Ok(read)) => read.map_err(|error| error.to_string()),
        Ok(Err(_)) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        Err(error) => Err(error.to_string()),
    }
}
