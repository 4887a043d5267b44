//! What outlives the actor: who is told what, what is known to be wrong, and what is not stored yet.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use super::{book::Book, ping_desk::PingDesk, pinging::PingPlan};
use crate::{
    domain::{
        Instant,
        alert::{AlertRules, BotAlerts, ChannelRules, Ground, Sign, Signs},
    },
    platforms::ops::OpsChannel,
    store::NewDelivery,
};

/// Where people are told, and by which rules.
#[derive(Default)]
pub struct Outward {
    /// `[alerts]`; those of its channels count that are in `channels`.
    pub rules: AlertRules,
    /// The channels.
    pub channels: Vec<Arc<dyn OpsChannel>>,
    /// Reports of starts and ends of runs, if any bot has them.
    pub pings: Option<PingPlan>,
}

/// Clones share what they know. The default has nowhere to tell anything, and knows nothing.
#[derive(Clone, Default)]
pub struct Alerting(Arc<Shared>);

#[derive(Default)]
struct Shared {
    rules: AlertRules,
    posts: Vec<Post>,
    pings: Option<PingPlan>,
    ping_desk: PingDesk,
    book: Mutex<Book>,
    signs: Mutex<Signs>,
    /// Rung when a sign waits.
    arrived: Notify,
    /// Held by whoever stores.
    storing: tokio::sync::Mutex<()>,
    /// How much is on its way to channels without the store.
    telling: AtomicUsize,
    /// What channels were told without the store, by the key of the incident.
    told: Mutex<HashMap<String, Vec<NewDelivery>>>,
}

/// A channel with its rules.
pub(super) struct Post {
    pub(super) channel: Arc<dyn OpsChannel>,
    pub(super) rules: ChannelRules,
    /// Rung when something is queued for it.
    pub(super) bell: Notify,
    /// Held by whoever sends to it.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Alerting {
    /// Tells these.
    #[must_use]
    pub fn new(outward: Outward) -> Self {
        let Outward {
            mut rules,
            channels,
            pings,
        } = outward;
        let post = |channel: Arc<dyn OpsChannel>| {
            let rules = rules.channel(channel.name())?.clone();
            Some(Post {
                channel,
                rules,
                bell: Notify::new(),
                turn: tokio::sync::Mutex::default(),
            })
        };
        let posts: Vec<Post> = channels.into_iter().filter_map(post).collect();
        rules.channels = posts.iter().map(|post| post.rules.clone()).collect();
        Self(Arc::new(Shared {
            rules,
            posts,
            pings,
            ..Shared::default()
        }))
    }

    /// Whether anybody is told anything.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.has_channels() || self.has_pings()
    }

    /// Whether there is a channel.
    #[must_use]
    pub fn has_channels(&self) -> bool {
        !self.0.posts.is_empty()
    }

    pub(super) fn has_pings(&self) -> bool {
        self.0.pings.is_some()
    }

    pub(super) fn pings(&self) -> Option<&PingPlan> {
        self.0.pings.as_ref()
    }

    pub(super) fn ping_desk(&self) -> &PingDesk {
        &self.0.ping_desk
    }

    pub(super) fn posts(&self) -> &[Post] {
        &self.0.posts
    }

    pub(super) fn rules(&self) -> &AlertRules {
        &self.0.rules
    }

    pub(super) fn ground<'a>(&'a self, bot: &'a BotAlerts, now: Instant) -> Ground<'a> {
        let rules = self.rules();
        Ground { rules, bot, now }
    }

    /// Something has happened. What can change nothing is not kept.
    pub(super) fn hear(&self, sign: Sign) {
        lock(&self.0.signs).push(sign);
        self.0.arrived.notify_one();
    }

    /// Waits until a sign may wait.
    pub(super) async fn arrival(&self) {
        loop {
            let arrived = self.0.arrived.notified();
            if !self.signs().is_empty() {
                return;
            }
            arrived.await;
        }
    }

    pub(super) fn signs(&self) -> MutexGuard<'_, Signs> {
        lock(&self.0.signs)
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.0.book)
    }

    /// Whether there may be an incident with this key: one that is open, or about to be stored.
    pub(super) fn may_be_open(&self, key: &str) -> bool {
        self.book().open(key).is_some() || self.signs().knows(key)
    }

    pub(super) async fn storing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.storing.lock().await
    }

    /// Something is on its way to channels without the store, as long as the answer lives.
    pub(super) fn telling(&self) -> Telling {
        self.0.telling.fetch_add(1, Ordering::AcqRel);
        Telling(self.clone())
    }

    /// Whether all that was heard is stored.
    pub(super) fn is_done(&self) -> bool {
        self.0.telling.load(Ordering::Acquire) == 0 && self.signs().is_empty()
    }

    /// Channels were told this without the store.
    pub(super) fn told(&self, key: String, deliveries: Vec<NewDelivery>) {
        lock(&self.0.told).insert(key, deliveries);
    }

    /// What channels were told without the store; forgotten by this.
    pub(super) fn take_told(&self, key: &str) -> Vec<NewDelivery> {
        lock(&self.0.told).remove(key).unwrap_or_default()
    }

    /// Something is queued for this channel.
    pub(super) fn ring(&self, channel: &str) {
        let mut posts = self.posts().iter();
        if let Some(post) = posts.find(|post| post.rules.name == channel) {
            post.bell.notify_one();
        }
    }
}

/// See [`Alerting::telling`].
pub(super) struct Telling(Alerting);

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.0.telling.fetch_sub(1, Ordering::AcqRel);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
