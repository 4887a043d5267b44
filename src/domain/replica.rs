//! The processes that share a store.

use super::Instant;

/// One process, as its heartbeats show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaRow {
    /// Random.
    pub id: String,
    /// Where its control API listens; empty without one.
    pub address: String,
    /// The program's version.
    pub version: String,
    /// When it started.
    pub started_at: Instant,
    /// Its last heartbeat.
    pub last_seen: Instant,
    /// Whether its lease is good.
    pub alive: bool,
}
