//! Messages between actors, and what becomes of the actors themselves. The words are a closed set; what a panic said is
//! in the log and in the tree, never in a label.

use std::sync::{Arc, OnceLock};

use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};

use super::{Catalogue, inbox::Inbox};

/// Bounds of both latencies: to another thread takes tens of microseconds, behind work in its mailbox milliseconds, and
/// nobody waits longer than five seconds. Few, because each pair of actors has them for each message.
const LATENCY_SECONDS: [f64; 6] = [0.0001, 0.001, 0.005, 0.05, 0.5, 5.0];

/// Who sends and who receives, as labels know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActorType {
    /// No actor: HTTP, signals, the root of the process. It only sends.
    Outside,
    /// The supervisor.
    Coordinator,
    /// The owner of the store.
    Persistence,
    /// Holds the next slot of every bot.
    Scheduler,
    /// Looks after the others.
    HealthCheck,
    /// All actors of bots.
    Task,
    /// Tells people.
    Alert,
}

impl ActorType {
    /// How many there are.
    const COUNT: usize = 7;

    /// The label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Coordinator => "coordinator",
            Self::Persistence => "persistence",
            Self::Scheduler => "scheduler",
            Self::HealthCheck => "health_check",
            Self::Task => "task",
            Self::Alert => "alert",
        }
    }
}

/// Families about actors; clones share them.
#[derive(Clone)]
pub struct ActorMetrics(Arc<Shared>);

struct Shared {
    messages: MessageFamilies,
    restarts: IntCounterVec,
    tree_restarts: IntCounterVec,
    transitions: IntCounterVec,
    inboxes: [OnceLock<Arc<Inbox>>; ActorType::COUNT],
}

/// What is counted of messages.
#[derive(Clone)]
pub(super) struct MessageFamilies {
    /// Whether anything is counted.
    pub(super) on: bool,
    /// `actor_messages_total{actor_type,message}`.
    pub(super) handled: IntCounterVec,
    /// `actor_message_latency_seconds{actor_type}`.
    pub(super) latency: HistogramVec,
    /// `inter_actor_message_latency_seconds{from_actor,to_actor,message_type}`.
    pub(super) between: HistogramVec,
    /// `actor_mailbox_size{actor_type}`.
    pub(super) waiting: IntGaugeVec,
}

impl ActorMetrics {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        Self(Arc::new(Shared {
            messages: MessageFamilies::new(catalogue),
            restarts: catalogue.counters(
                "actor_restarts_total",
                "Actors that ended and are built anew after a wait, by why they ended: panic, unresponsive, thread_gone or stopped.",
                &["actor_type", "reason"],
            ),
            tree_restarts: catalogue.counters(
                "supervision_tree_restarts_total",
                "The same by who has the actor built anew: coordinator, or root for the coordinator itself.",
                &["supervisor", "child_actor", "restart_reason"],
            ),
            transitions: catalogue.counters(
                "actor_lifecycle_transitions_total",
                "Steps in the lives of actors: new, running, resting (a bot's actor without work), restarting, given_up, stopped.",
                &["actor_type", "from_state", "to_state"],
            ),
            inboxes: Default::default(),
        }))
    }

    /// Where the messages to actors of this type are counted.
    #[must_use]
    pub fn inbox(&self, of: ActorType) -> Arc<Inbox> {
        let made = || Arc::new(Inbox::new(of, &self.0.messages));
        let inbox = self.0.inboxes.get(of as usize);
        inbox.map_or_else(made, |inbox| Arc::clone(inbox.get_or_init(made)))
    }

    /// `supervisor` has an actor built anew; `reason` is one word of a closed set.
    pub fn restarted(&self, supervisor: &'static str, child: ActorType, reason: &'static str) {
        let child = child.as_str();
        let shared = &self.0;
        shared.restarts.with_label_values(&[child, reason]).inc();
        let in_tree = &[supervisor, child, reason];
        shared.tree_restarts.with_label_values(in_tree).inc();
    }

    /// An actor is in another state now.
    pub fn stepped(&self, actor: ActorType, from: &'static str, to: &'static str) {
        let step = &[actor.as_str(), from, to];
        self.0.transitions.with_label_values(step).inc();
    }
}

impl MessageFamilies {
    fn new(catalogue: &Catalogue) -> Self {
        Self {
            on: catalogue.is_on(),
            handled: catalogue.counters(
                "actor_messages_total",
                "Messages that actors have taken from their mailboxes, by the name of their type.",
                &["actor_type", "message"],
            ),
            latency: catalogue.histograms(
                "actor_message_latency_seconds",
                "From the sending of a message to the start of its handling, in seconds.",
                &["actor_type"],
                &LATENCY_SECONDS,
            ),
            between: catalogue.histograms(
                "inter_actor_message_latency_seconds",
                "The same by sender, receiver and the name of the message's type; `outside` is HTTP, signals and the root.",
                &["from_actor", "to_actor", "message_type"],
                &LATENCY_SECONDS,
            ),
            waiting: catalogue.gauges(
                "actor_mailbox_size",
                "Messages sent to actors of this type and not yet handled.",
                &["actor_type"],
            ),
        }
    }
}
