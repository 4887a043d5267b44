//! The supervision tree, breakers and replicas, as clients see them.

use serde::Serialize;
use utoipa::ToSchema;

use super::time::Time;
use crate::{
    actors::messages::{ChildReport, ChildState, Tree},
    domain::replica::ReplicaRow,
};

/// How the actor system is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Supervision {
    /// Every actor, the supervisor first.
    pub actors: Vec<ActorNode>,
    /// Every downstream's circuit breaker.
    pub breakers: Vec<Breaker>,
    /// The processes that share the database; null while it is away.
    pub replicas: Option<Vec<Replica>>,
    /// Why `replicas` is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas_error: Option<String>,
}

/// One actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ActorNode {
    /// Its place in the tree, such as `scheduler` or `task/daily_poster`.
    pub name: String,
    /// Who looks after it; null for the supervisor, which the process itself looks after.
    pub supervisor: Option<&'static str>,
    /// `running`, `resting` (a bot's actor that is not needed now), `restarting` or `given_up`.
    pub state: &'static str,
    /// Restarts since the process started.
    pub restarts: Option<u64>,
    /// Restarts left in the window.
    pub budget_left: Option<u32>,
    /// Its last end that was not a normal stop.
    pub last_crash: Option<String>,
    /// Messages that wait for it, as far as they are counted.
    pub mailbox: Option<usize>,
}

/// The supervisor, which is what answers.
const ROOT: &str = "coordinator";

impl ActorNode {
    fn root() -> Self {
        Self {
            name: ROOT.into(),
            supervisor: None,
            state: ChildState::Running.as_str(),
            restarts: None,
            budget_left: None,
            last_crash: None,
            mailbox: None,
        }
    }
}

impl From<ChildReport> for ActorNode {
    fn from(report: ChildReport) -> Self {
        Self {
            name: report.child.to_string(),
            supervisor: Some(report.child.supervisor()).filter(|it| *it == ROOT),
            state: report.state.as_str(),
            restarts: Some(report.restarts),
            budget_left: Some(report.budget_left),
            last_crash: report.last_crash.map(|exit| exit.to_string()),
            mailbox: report.mailbox,
        }
    }
}

/// The circuit breaker of one downstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Breaker {
    /// Which downstream.
    #[schema(example = "discord")]
    pub dependency: String,
    /// `closed`, `half_open` or `open`.
    #[schema(example = "closed")]
    pub state: String,
}

impl From<(String, String)> for Breaker {
    fn from((dependency, state): (String, String)) -> Self {
        Self { dependency, state }
    }
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Replica {
    /// Random, new at every start.
    pub id: String,
    /// Where its control API listens; null without one.
    pub address: Option<String>,
    /// The program's version.
    pub version: String,
    /// When it started.
    pub started_at: Time,
    /// Its last heartbeat.
    pub last_seen: Time,
    /// Whether its lease is good.
    pub alive: bool,
}

impl From<ReplicaRow> for Replica {
    fn from(row: ReplicaRow) -> Self {
        Self {
            id: row.id,
            address: Some(row.address).filter(|address| !address.is_empty()),
            version: row.version,
            started_at: Time(row.started_at),
            last_seen: Time(row.last_seen),
            alive: row.alive,
        }
    }
}

impl Supervision {
    /// From what the actors and the store say.
    #[must_use]
    pub fn of(tree: Tree, replicas: Result<Vec<ReplicaRow>, String>) -> Self {
        let is_root = |report: &ChildReport| report.child.supervisor() != ROOT;
        let (root, children): (Vec<_>, Vec<_>) = tree.children.into_iter().partition(is_root);
        let root = root.into_iter().next();
        let root = root.map_or_else(ActorNode::root, ActorNode::from);
        let children = children.into_iter().map(ActorNode::from);
        let (replicas, replicas_error) = match replicas {
            Ok(rows) => (Some(rows.into_iter().map(Replica::from).collect()), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            actors: std::iter::once(root).chain(children).collect(),
            breakers: tree.breakers.into_iter().map(Breaker::from).collect(),
            replicas,
            replicas_error,
        }
    }
}
