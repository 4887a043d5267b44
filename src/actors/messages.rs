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
    audit::{AuditEntry, AuditQuery, AuditRow},
    bot::{Bot, BotName},
    content::{ContentItem, ContentQuery, StoredItem},
    health::Health,
    hold::{Hold, HoldKind},
    ledger::{LedgerQuery, LedgerRow},
    post::Post,
    replica::ReplicaRow,
    run::{Claim, ExecutionId, Trigger},
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

/// End this claim before its run starts. Replies whether the scheduler had it.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct CancelClaim(pub ExecutionId);

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

/// End this kind of hold on every bot that has it. Replies the bots that were held.
#[derive(Message)]
#[rtype(result = "Result<Vec<BotName>, ControlError>")]
pub struct ResumeAll(pub HoldKind);

/// Run a bot now, also under a hold. Replies the run.
#[derive(Message)]
#[rtype(result = "Result<ExecutionId, ControlError>")]
pub struct TriggerRun {
    /// Which.
    pub bot: BotName,
    /// Goes to the run's context and to `metadata`: note, content, `dry_run` (nothing is posted).
    pub input: Value,
}

/// Start every bot that listens for events of this type. Replies the runs, of a repetition those that the first one
/// started.
#[derive(Message)]
#[rtype(result = "Result<Vec<(BotName, ExecutionId)>, ControlError>")]
pub struct StartEvent {
    /// What the bots listen for.
    pub event_type: String,
    /// Where it comes from.
    pub source: String,
    /// Goes to the runs' context.
    pub payload: Value,
    /// What a repetition is recognised by.
    pub key: Option<String>,
}

/// All bots, by name. Replies a picture that was right a moment ago.
#[derive(Message)]
#[rtype(result = "Bots")]
pub struct ListBots;

/// One bot.
#[derive(Message)]
#[rtype(result = "Result<Arc<BotCard>, ControlError>")]
pub struct DescribeBot(pub BotName);

/// Rows of the ledger, each with the posts of its run.
#[derive(Message)]
#[rtype(result = "Result<Vec<(LedgerRow, Vec<Post>)>, ControlError>")]
pub struct FindRuns(pub LedgerQuery);

/// One row of the ledger.
#[derive(Message)]
#[rtype(result = "Result<(LedgerRow, Vec<Post>), ControlError>")]
pub struct FindRun(pub ExecutionId);

/// Who did what.
#[derive(Message)]
#[rtype(result = "Result<Vec<AuditRow>, ControlError>")]
pub struct FindAudit(pub AuditQuery);

/// Note who did what. It is stored as soon as the store takes it, and lost only if more waits than is kept.
#[derive(Message)]
#[rtype(result = "()")]
pub struct NoteAudit(pub Box<AuditEntry>);

/// The processes that share the store.
#[derive(Message)]
#[rtype(result = "Result<Vec<ReplicaRow>, ControlError>")]
pub struct FindReplicas;

/// Items of a knowledge table.
#[derive(Message)]
#[rtype(result = "Result<Vec<StoredItem>, ControlError>")]
pub struct FindContent(pub ContentQuery);

/// Adds items to a knowledge table, all or none. Replies their rows.
#[derive(Message)]
#[rtype(result = "Result<Vec<i64>, ControlError>")]
pub struct AddContent {
    /// The table.
    pub table: String,
    /// The items.
    pub items: Vec<ContentItem>,
}

/// Removes an item of a knowledge table, or all. Replies how many there were.
#[derive(Message)]
#[rtype(result = "Result<u64, ControlError>")]
pub struct RemoveContent {
    /// The table.
    pub table: String,
    /// The item; all if none is named.
    pub id: Option<i64>,
}

/// The effective configuration, secrets as `"***"`.
#[derive(Message)]
#[rtype(result = "Value")]
pub struct ShowConfiguration;

/// Read the configuration again, and apply it as a whole or not at all. Replies what changed.
#[derive(Message)]
#[rtype(result = "Result<Value, ReloadError>")]
pub struct ReloadConfiguration {
    /// Only say what would change.
    pub dry_run: bool,
}

/// Why nothing was changed by a reload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// Every problem of the files, as `file:line:column: key: what is wrong`.
    #[error("{}", .0.join("\n"))]
    Problems(Vec<String>),
    /// The store is away, an actor did not answer, or the process is stopping.
    #[error("not to be had now: {0}")]
    Unavailable(String),
}

/// Close a breaker by hand.
#[derive(Message)]
#[rtype(result = "Result<(), ControlError>")]
pub struct ResetBreaker(pub String);

/// Stop a run, or a claim before it starts, whichever process has it. Replies when it is told, or its process will be
/// with its next beat.
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
    /// No such run.
    #[error("there is no run {0}")]
    UnknownRun(ExecutionId),
    /// The run has ended already.
    #[error("the run {0} has ended")]
    NotRunning(ExecutionId),
    /// No such dependency.
    #[error("there is no breaker `{0}`")]
    UnknownDependency(String),
    /// The store is away, or an actor did not answer in time.
    #[error("not to be had now: {0}")]
    Unavailable(String),
}

/// All bots at one moment.
#[derive(Clone, MessageResponse)]
pub struct Bots {
    /// Grows with every change.
    pub version: u64,
    /// By name.
    pub cards: Arc<Vec<Arc<BotCard>>>,
}

/// What is known of one bot.
#[derive(Clone, Debug)]
pub struct BotCard {
    /// As configured.
    pub bot: Arc<Bot>,
    /// As stored.
    pub state: BotState,
    /// A slot that is claimed ahead and has not started: the bot's next run, if there is one.
    pub claimed: Option<Instant>,
    /// Its runs at work in this process.
    pub running: Vec<ExecutionId>,
}

/// The supervision tree.
#[derive(Clone, Debug, MessageResponse)]
pub struct Tree {
    /// Every actor.
    pub children: Vec<ChildReport>,
    /// Every downstream's circuit breaker: its name, and `closed`, `half_open` or `open`.
    pub breakers: Vec<(String, String)>,
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
    /// Messages that wait for it, as far as they are counted.
    pub mailbox: Option<usize>,
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
