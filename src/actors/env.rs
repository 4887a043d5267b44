//! What every actor is built from: the parts that outlive any of them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::Semaphore};

use super::{
    address_book::AddressBook, board::Board, leftovers::Leftovers, news::News,
    persistence::WriteQueue, reading::Readers, runs::Runs, supervision::Exits, turns::Turns,
    vitals::Vitals,
};
use crate::{
    clock::Clock,
    domain::{
        bot::{Bot, BotName},
        restart::RestartPolicy,
    },
    platforms::ContentPoster,
    skills::SkillSet,
    store::{Replica, StatePersistence},
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
    /// Whose turn it is to send the posts that earlier runs left.
    pub leftovers: Leftovers,
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
    /// Numbers that the configuration sets.
    pub rules: Rules,
    /// The bots of the configuration.
    pub bots: HashMap<BotName, Arc<Bot>>,
}

impl Env {
    /// A bot of the configuration.
    #[must_use]
    pub fn bot(&self, name: &BotName) -> Option<&Arc<Bot>> {
        self.bots.get(name)
    }
}

/// See `[server]`, `[supervision]`, `[health]`.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How often memory is reconciled with the store.
    pub check_interval: Duration,
    /// Failed runs in a row that set the hold `failures`.
    pub max_consecutive_failures: u32,
    /// Runs in flight.
    pub max_parallel_tasks: usize,
    /// Restarts of actors.
    pub supervision: RestartPolicy,
    /// How often health is looked at.
    pub health_interval: Duration,
    /// How long history is kept.
    pub retention: Duration,
}

/// Platforms by the word in the `platform` column.
#[derive(Clone, Default)]
pub struct Platforms(HashMap<String, Arc<dyn ContentPoster>>);

/// The platform of bots without a channel.
pub const CONSOLE: &str = "console";
/// The platform of bots with a channel.
pub const DISCORD: &str = "discord";

impl Platforms {
    /// Adds a platform under its own name; a later one replaces an earlier one.
    #[must_use]
    pub fn with(mut self, poster: Arc<dyn ContentPoster>) -> Self {
        self.0.insert(poster.platform().to_owned(), poster);
        self
    }

    /// The platform of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn ContentPoster>> {
        self.0.get(name)
    }

    /// Platform and destination of a bot's posts.
    #[must_use]
    pub fn of(bot: &Bot) -> (&'static str, String) {
        match bot.channel_id {
            Some(channel) => (DISCORD, channel.to_string()),
            None => (CONSOLE, "stdout".into()),
        }
    }
}
