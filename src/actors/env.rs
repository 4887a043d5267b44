//! What every actor is built from: the parts that outlive any of them.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{runtime::Handle, sync::Semaphore};

use super::{
    address_book::AddressBook,
    alarms::Alarms,
    alerting::Alerting,
    audit::AuditQueue,
    board::Board,
    breakers::Breakers,
    configuration::{Configuration, InForce},
    lanes::Lanes,
    leftovers::Leftovers,
    news::News,
    persistence::WriteQueue,
    reading::Readers,
    runs::Runs,
    supervision::Exits,
    turns::Turns,
    vitals::Vitals,
};
use crate::{
    clock::Clock,
    domain::{
        bot::{Bot, BotName},
        post,
        restart::RestartPolicy,
    },
    platforms::ContentPoster,
    skills::SkillSet,
    store::{Replica, StatePersistence},
    telemetry::metrics::Metrics,
};

/// Shared by all actors; factories hold it, so a rebuilt actor finds what its predecessor left.
pub struct Env {
    /// This process.
    pub me: Replica,
    /// What time it is.
    pub clock: Clock,
    /// Where state is kept; written through [`Env::queue`] only.
    pub store: Arc<dyn StatePersistence>,
    /// Writes on their way.
    pub queue: WriteQueue,
    /// Who did what, on its way to the store.
    pub audit: AuditQueue,
    /// Where actors are.
    pub book: AddressBook,
    /// What is known of every bot.
    pub board: Board,
    /// Whose turn it is to change a bot's hold.
    pub turns: Turns,
    /// Whose turn it is to read for whoever is outside.
    pub readers: Readers,
    /// Which claims living actors hold.
    pub runs: Runs,
    /// Whose turn it is to send to a destination.
    pub lanes: Lanes,
    /// Who looks after the posts that earlier runs left.
    pub leftovers: Leftovers,
    /// Which downstreams are not asked for now.
    pub breakers: Breakers,
    /// Free places for runs (`max_parallel_tasks`).
    pub places: Arc<Semaphore>,
    /// Skills by name.
    pub skills: SkillSet,
    /// Platforms by name.
    pub platforms: Platforms,
    /// Where bot work is done; never an actor's thread.
    pub runtime: Handle,
    /// Ends of actors on their way to the coordinator.
    pub exits: Exits,
    /// What probes read.
    pub vitals: Vitals,
    /// What has just happened.
    pub news: News,
    /// What may call for an alert.
    pub alarms: Alarms,
    /// What is wrong, and who is told of it.
    pub alerting: Alerting,
    /// What is counted.
    pub metrics: Metrics,
    /// Numbers that the configuration sets.
    pub rules: Rules,
    /// The bots, and what else a reload replaces.
    pub configuration: Configuration,
}

impl Env {
    /// A bot of the configuration.
    #[must_use]
    pub fn bot(&self, name: &BotName) -> Option<Arc<Bot>> {
        self.configuration.bot(name)
    }

    /// The configuration of this moment, with all its bots.
    #[must_use]
    pub fn in_force(&self) -> Arc<InForce> {
        self.configuration.in_force()
    }

    /// So many failed runs in a row set the hold `failures`.
    #[must_use]
    pub fn max_consecutive_failures(&self) -> u32 {
        self.configuration.in_force().max_consecutive_failures
    }
}

/// See `[server]`, `[supervision]`, `[health]`.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How often memory is reconciled with the store.
    pub check_interval: Duration,
    /// Runs in flight.
    pub max_parallel_tasks: usize,
    /// Restarts of actors.
    pub supervision: RestartPolicy,
    /// How often health is looked at.
    pub health_interval: Duration,
    /// How long history is kept.
    pub retention: Duration,
}

/// Platforms by the word in the `platform` column; clones share them.
#[derive(Clone, Default)]
pub struct Platforms(Arc<RwLock<HashMap<String, Arc<dyn ContentPoster>>>>);

/// The platform of bots without a channel.
pub const CONSOLE: &str = post::CONSOLE;
/// The platform of bots with a channel.
pub const DISCORD: &str = "discord";

impl Platforms {
    /// Adds a platform under its own name; a later one replaces an earlier one.
    #[must_use]
    pub fn with(self, poster: Arc<dyn ContentPoster>) -> Self {
        self.set(poster.platform(), Some(poster));
        self
    }

    /// Puts a platform in the place of the one of this name, or takes that away.
    pub fn set(&self, name: &str, poster: Option<Arc<dyn ContentPoster>>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match poster {
            Some(poster) => all.insert(name.to_owned(), poster),
            None => all.remove(name),
        };
    }

    /// The platform of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<dyn ContentPoster>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(name).cloned()
    }

    /// Platform and destination of a bot's posts.
    #[must_use]
    pub fn of(bot: &Bot) -> (&str, String) {
        (bot.target.platform(), bot.target.destination())
    }

    /// Whether destinations of this platform have nothing in common that could be shut for all of them.
    #[must_use]
    pub fn is_apart(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|platform| !platform.is_one_downstream())
    }
}
