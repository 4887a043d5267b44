//! What a case needs of a backend.

use std::sync::Arc;

use actor_server::{
    domain::{
        Instant,
        run::{ExecutionId, ReplicaId},
    },
    store::{Replica, StatePersistence},
};
use async_trait::async_trait;
use chrono::DateTime;

use crate::process::Process;

/// An empty store of one backend; it goes when the fixture is dropped.
#[async_trait]
pub(crate) trait Fixture: Send + Sync {
    /// The store.
    fn store(&self) -> Arc<dyn StatePersistence>;

    /// Makes a process dead in the eyes of the others, beyond all leases.
    async fn kill(&self, process: &ReplicaId);

    /// Makes a process old enough to judge that others are dead, where that takes a while.
    async fn age(&self, _process: &ReplicaId) {}

    /// Makes a row of the ledger as old as that, by its `created_at`.
    async fn backdate(&self, row: ExecutionId, seconds: i64);

    /// A process that is alive.
    async fn join(&self, name: &str) -> Process {
        let replica = replica(name);
        self.store().beat(&replica).await.unwrap();
        Process::new(self.store(), replica.id)
    }
}

/// A process of that name.
pub(crate) fn replica(name: &str) -> Replica {
    Replica {
        id: ReplicaId::new(name),
        address: String::new(),
        version: "0.0.0".into(),
        started_at: start(),
    }
}

/// When every test begins.
pub(crate) fn start() -> Instant {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}
