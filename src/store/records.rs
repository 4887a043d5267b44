//! What the store answers to questions: plain values, the same for every backend.

use chrono::TimeDelta;
use serde_json::Value;

use crate::domain::{
    Instant,
    bot::BotName,
    run::{Claim, ExecutionId, ReplicaId},
};

/// The texts of a stored list.
pub(super) fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten();
    texts
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// This process, as others see it.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Random.
    pub id: ReplicaId,
    /// Where its control API listens; empty without one.
    pub address: String,
    /// The program's version.
    pub version: String,
    /// When it started.
    pub started_at: Instant,
}

/// The answer to a heartbeat.
#[derive(Clone, Debug)]
pub struct Beat {
    /// The store's clock.
    pub now: Instant,
    /// Processes whose lease is good, this one included.
    pub replicas: u32,
    /// This process's open rows that are wanted to be cancelled, in the order they were claimed.
    pub cancel: Vec<ExecutionId>,
}

/// A row with status `running`.
#[derive(Clone, Debug)]
pub struct LiveRow {
    /// The claim.
    pub claim: Claim,
    /// When its run started; `None` while it waits.
    pub started_at: Option<Instant>,
    /// `metadata`: what a trigger came with, and attempts before.
    pub metadata: Value,
}

/// A trigger or an event that was answered is not lost with its process: another one takes its claim over, unless it was
/// made longer ago than this.
pub(super) const STILL_WANTED: TimeDelta = TimeDelta::minutes(15);

/// What became of one row that a dead process left.
#[derive(Clone, Debug)]
pub enum Rescued {
    /// The claim never started; its slot is decided anew.
    Released(BotName),
    /// The run is closed.
    Abandoned(BotName, ExecutionId),
    /// The run is this process's now, to be run again, or for the first time if its attempt is 1; its [`LiveRow`] says
    /// what it was made with.
    Again(Claim),
}

/// One step of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaStep {
    /// Its version; steps are applied in the order of their versions.
    pub version: String,
    /// Whether the database has it.
    pub applied: bool,
}
