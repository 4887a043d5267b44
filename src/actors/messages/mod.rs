//! What actors say to each other. Each message names its reply; whoever waits for one sets a deadline.

use std::{sync::Arc, time::Duration};

use actix::{Addr, Message, MessageResponse};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

mod control;

pub use self::control::*;
pub use super::configuration::{Reconfigured, ReloadConfiguration, ReloadError, ShowConfiguration};
use super::{supervision::Child, task::TaskActor};
use crate::domain::{
    Instant,
    bot::BotName,
    health::Health,
    hold::{Hold, HoldKind},
    run::{Claim, ExecutionId, Trigger},
    state::BotState,
};

/// How long anybody waits for another actor.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// The same for work on a whole knowledge table, which may have many rows.
pub const LONG_DEADLINE: Duration = Duration::from_secs(30);

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

/// End this claim before its run starts. Replies whether the scheduler had it.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct CancelClaim(pub ExecutionId);

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

/// Run now, by hand or for an event. Replies the run; `None` if the actor is about to rest.
#[derive(Message)]
#[rtype(result = "Option<Result<ExecutionId, ControlError>>")]
pub struct TriggerHere {
    /// `Manual` works under a hold, and is refused while a run is on that `overlap` does not let it wait for. `Event` is
    /// recorded whatever becomes of it, as a slot would be.
    pub trigger: Trigger,
    /// What the run is started with; see [`crate::domain::input`].
    pub input: Value,
    /// What stands against an event's run.
    pub hold: Option<HoldKind>,
    /// What a repetition is recognised by.
    pub key: Option<String>,
}

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
