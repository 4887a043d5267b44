//! What actors say to each other. Each message names its reply; whoever waits for one sets a deadline.

use std::{sync::Arc, time::Duration};

use actix::{Addr, Message, MessageResponse};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    supervision::{Child, Exit},
    task::TaskActor,
};
use crate::domain::{
    Instant,
    bot::BotName,
    health::Health,
    hold::{Hold, HoldKind},
    run::{Claim, ExecutionId},
    state::BotState,
};

/// How long anybody waits for another actor.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// Are you there?
#[derive(Message)]
#[rtype(result = "Pong")]
pub struct Ping;

/// Yes.
#[derive(Debug, MessageResponse)]
pub struct Pong;

// To the scheduler.

/// A bot's stored state is another now; plan anew from it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct StateChanged(pub Box<BotState>);

/// A run's end has set a hold.
#[derive(Message)]
#[rtype(result = "()")]
pub struct HoldSet(pub BotName, pub Hold);

/// Account for every slot of a bot up to now, before its hold changes. Replies whether the ledger is up to date.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct Account(pub BotName);

/// Something in the store has changed behind your back: look at it again.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reload;

/// Claim nothing more, and give back what has not started. Replies when that is on its way to the store.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Drain;

// To a bot's actor.

/// Start this claim's run, or decide otherwise. Replies whether the claim is in the actor's hands; it is not if the actor
/// is about to rest.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct StartRun {
    /// The claim.
    pub claim: Claim,
    /// The schedule that it was made by.
    pub schedule: Option<String>,
    /// The place it may take; `None` when the bot is busy and overlap decides, or for a run by hand.
    pub place: Option<OwnedSemaphorePermit>,
    /// The hold that the scheduler knows of.
    pub hold: Option<HoldKind>,
    /// A newer slot of the bot is due as well.
    pub superseded: bool,
    /// The claim may not be this process's any more: the store has to be asked before the run starts.
    pub verify: bool,
    /// When the store was first asked about this start, if its answer was lost: the decision stands, and the question is
    /// the same.
    pub asked_at: Option<Instant>,
    /// It catches up (`fire_all`): if a run is on, it is given back and comes again.
    pub backlog: bool,
    /// No misfire rule holds (the latest slot after a resume).
    pub lenient: bool,
    /// The payload of a trigger or event.
    pub input: Value,
}

/// Run now, by hand. Replies the run.
#[derive(Message)]
#[rtype(result = "Result<ExecutionId, ControlError>")]
pub struct TriggerHere(pub Value);

/// Stop this run. Replies whether it was on.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct CancelRun(pub ExecutionId);

/// Give back what waits, let what runs end. Replies at once.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FinishUp;

/// The grace period is over: end what runs as abandoned.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Abandon;

// To the coordinator.

/// Give me the bot's actor, started if it rests.
#[derive(Message)]
#[rtype(result = "Option<Addr<TaskActor>>")]
pub struct Wake(pub BotName);

/// The hold `given_up` of this bot has ended: its actor has a new restart budget.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Forgive(pub BotName);

/// Nothing to do for a while; may I go? Replies whether the actor is out of the book and may stop.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct Rest(pub BotName, pub Addr<TaskActor>);

/// An actor does not answer heartbeats.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Unresponsive(pub Child);

/// Hold a bot by hand. Replies its state.
#[derive(Message)]
#[rtype(result = "Result<BotState, ControlError>")]
pub struct Pause {
    /// Which.
    pub bot: BotName,
    /// Why, who, until when.
    pub hold: Hold,
}

/// End a bot's hold (of that kind, if one is named). Replies its state.
#[derive(Message)]
#[rtype(result = "Result<BotState, ControlError>")]
pub struct Resume {
    /// Which.
    pub bot: BotName,
    /// Only this kind.
    pub kind: Option<HoldKind>,
}

/// Run a bot now, also under a hold. Replies the run.
#[derive(Message)]
#[rtype(result = "Result<ExecutionId, ControlError>")]
pub struct TriggerRun {
    /// Which.
    pub bot: BotName,
    /// Goes to the run's context and to `metadata`: note, content.
    pub input: Value,
}

/// Stop a run. Replies whether it was on in this process.
#[derive(Message)]
#[rtype(result = "Result<(), ControlError>")]
pub struct Cancel(pub ExecutionId);

/// How are you all?
#[derive(Message)]
#[rtype(result = "Tree")]
pub struct Inspect;

/// Stop everything in order. Replies when nothing is left to store.
#[derive(Message)]
#[rtype(result = "Stopped")]
pub struct Stop {
    /// How long running work may drain.
    pub grace: Duration,
}

/// What a stop left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, MessageResponse)]
pub struct Stopped {
    /// Results that could not be stored.
    pub unstored: usize,
}

/// Why an operator's wish was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No such bot.
    #[error("there is no bot `{0}`")]
    UnknownBot(BotName),
    /// The bot's file is broken.
    #[error("`{0}` cannot run: {1}")]
    Invalid(BotName, String),
    /// A run is on, and the bot's `overlap` does not allow another.
    #[error("a run of `{0}` is on")]
    Busy(BotName),
    /// No such run is on in this process.
    #[error("no run {0} is on")]
    NotRunning(ExecutionId),
    /// The store is away, or an actor did not answer in time.
    #[error("not to be had now: {0}")]
    Unavailable(String),
}

/// The supervision tree.
#[derive(Clone, Debug, MessageResponse)]
pub struct Tree {
    /// Every actor.
    pub children: Vec<ChildReport>,
}

/// One actor of the tree.
#[derive(Clone, Debug)]
pub struct ChildReport {
    /// Which.
    pub child: Child,
    /// Its state.
    pub state: ChildState,
    /// Restarts since the process started.
    pub restarts: u64,
    /// Restarts left in the window.
    pub budget_left: u32,
    /// Its last end that was not a normal stop.
    pub last_crash: Option<Exit>,
}

/// Where in its life an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildState {
    /// At work.
    Running,
    /// A bot's actor that is not needed now.
    Resting,
    /// Dead, and to be built anew.
    Restarting,
    /// Its budget is spent.
    GivenUp,
}

// To the health check.

/// What was found last.
#[derive(Message)]
#[rtype(result = "HealthReport")]
pub struct AskHealth;

/// Health of the parts and the whole.
#[derive(Clone, Debug, MessageResponse)]
pub struct HealthReport {
    /// The whole.
    pub whole: Health,
    /// The parts, with since when.
    pub parts: Arc<Vec<(String, Health, Instant)>>,
}
