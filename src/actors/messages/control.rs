//! What is asked of the coordinator through the door.

use std::{sync::Arc, time::Duration};

use actix::{Message, MessageResponse};
use serde_json::Value;

use crate::{
    actors::supervision::{Child, Exit},
    domain::{
        Instant,
        alert::{Delivery, Incident},
        audit::{AuditEntry, AuditQuery, AuditRow},
        bot::{Bot, BotName},
        content::{ContentItem, ContentQuery, StoredItem, TableSummary},
        hold::{Hold, HoldKind},
        ledger::{LedgerQuery, LedgerRow},
        post::{Post, PostQuery, PostStatus},
        replica::ReplicaRow,
        run::ExecutionId,
        state::BotState,
    },
};

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
    /// Where the trace of the request comes from, as it is kept with the runs; null for none.
    pub trace: Value,
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

/// Posts, newest first.
#[derive(Message)]
#[rtype(result = "Result<Vec<Post>, ControlError>")]
pub struct FindPosts(pub PostQuery);

/// One post.
#[derive(Message)]
#[rtype(result = "Result<Post, ControlError>")]
pub struct FindPost(pub i64);

/// Send a post again that was given up, behind all that waits for its destination. Replies what it was and what it is.
#[derive(Message)]
#[rtype(result = "Result<(Post, Post), ControlError>")]
pub struct ResendPost(pub i64);

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

/// The knowledge tables.
#[derive(Message)]
#[rtype(result = "Result<Vec<TableSummary>, ControlError>")]
pub struct FindTables;

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

/// Send a test notice to every channel for alerts, or to the one that is named, at once. Replies what each said, within
/// [`TEST_DEADLINE`].
#[derive(Message)]
#[rtype(result = "Result<Vec<AlertTested>, ControlError>")]
pub struct TestAlert {
    /// `webhook`, `discord` or `pagerduty`; all that are configured if none is named.
    pub channel: Option<String>,
}

/// The longest that a test of the channels may take; whoever asks waits a little longer.
pub const TEST_DEADLINE: Duration = Duration::from_secs(15);

/// What a channel said to a test notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertTested {
    /// Which.
    pub channel: String,
    /// Why it did not take it; `None` if it did.
    pub error: Option<String>,
}

/// What is wrong now, and what was told lately.
#[derive(Message)]
#[rtype(result = "Result<AlertsFound, ControlError>")]
pub struct FindAlerts {
    /// So many deliveries at most.
    pub limit: i64,
}

/// See [`FindAlerts`].
#[derive(Clone, Debug)]
pub struct AlertsFound {
    /// Incidents that are not over, the oldest first.
    pub open: Vec<Incident>,
    /// Deliveries, the newest first.
    pub deliveries: Vec<Delivery>,
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
    /// No such post.
    #[error("there is no post {0}")]
    UnknownPost(i64),
    /// Only a post that was given up is sent again.
    #[error("the post {0} is {word}; only one that is failed or dead is sent again", word = .1.as_str())]
    NotGivenUp(i64, PostStatus),
    /// No such dependency.
    #[error("there is no breaker `{0}`")]
    UnknownDependency(String),
    /// No such channel for alerts, or it is not configured.
    #[error("there is no channel `{0}` for alerts")]
    UnknownChannel(String),
    /// No channel for alerts is configured.
    #[error("no channel for alerts is configured; add one to `[alerts]`")]
    NoChannels,
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

impl ChildState {
    /// As people and labels know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Resting => "resting",
            Self::Restarting => "restarting",
            Self::GivenUp => "given_up",
        }
    }
}
