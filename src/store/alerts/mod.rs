//! Incidents, and notices on their way to the channels.
//!
//! An incident changes and the notices that follow from it are queued in one transaction, so that a crash neither loses
//! one nor tells anybody twice. A change says which revision it was made from; of two processes that see the same thing
//! one stores it, and the other is told that it did not. A notice is delivered by whoever has claimed it, and a claim that
//! has run out is anybody's.

mod rows;
pub(super) mod sql;

use async_trait::async_trait;

pub(super) use self::rows::{AlertColumns, IncidentColumns, notice_json};
use super::StoreError;
use crate::domain::{
    Instant,
    alert::{Delivery, DeliveryStatus, Incident, Notice, Outbox},
    run::ReplicaId,
};

/// What the AlertActor needs of a store.
#[async_trait]
pub trait AlertStore: Send + Sync {
    /// Stores changes of incidents, each with the notices that follow from it, in one transaction. Answers the id and the
    /// revision of each that was stored; `None` for one whose premise is gone: somebody else has changed the incident, or
    /// has opened one with its key.
    async fn keep_incidents(
        &self,
        changes: &[IncidentChange],
        now: Instant,
    ) -> Result<Vec<Option<(i64, i64)>>, StoreError>;

    /// The incidents that are not over, and those that were over at or after `since`, in the order of their beginning.
    async fn incidents(&self, since: Instant) -> Result<Vec<Incident>, StoreError>;

    /// What is due at a channel at `now`, and what counts against its limit.
    async fn due_alerts(
        &self,
        me: &ReplicaId,
        channel: &str,
        now: Instant,
    ) -> Result<Outbox, StoreError>;

    /// Claims a delivery until then. Answers whether it was free.
    async fn claim_alert(
        &self,
        me: &ReplicaId,
        id: i64,
        until: Instant,
        now: Instant,
    ) -> Result<bool, StoreError>;

    /// Puts one notice in the place of these deliveries, all of them or none, and claims it. Answers the one delivery.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] also if one of them is not free any more.
    async fn fold_alerts(
        &self,
        me: &ReplicaId,
        ids: &[i64],
        digest: &NewDelivery,
        until: Instant,
        now: Instant,
    ) -> Result<Delivery, StoreError>;

    /// Records how an attempt to deliver ended, and gives the claim back. That a channel has taken a notice is a fact
    /// whoever has it claimed; everything else is recorded by whoever has.
    async fn mark_alert(&self, me: &ReplicaId, mark: &DeliveryMark) -> Result<(), StoreError>;

    /// How many deliveries are pending, of all processes.
    async fn pending_alerts(&self) -> Result<u64, StoreError>;

    /// Deliveries, newest first.
    async fn deliveries(&self, limit: i64) -> Result<Vec<Delivery>, StoreError>;

    /// Deletes incidents that were over before then, and deliveries that were stored before then and are not pending.
    async fn forget_alerts(&self, before: Instant) -> Result<u64, StoreError>;
}

/// An incident as it is to be, and who is told of it.
#[derive(Clone, Debug)]
pub struct IncidentChange {
    /// With the id and the revision that it was made from; with id 0 it is new.
    pub incident: Incident,
    /// The notices.
    pub deliveries: Vec<NewDelivery>,
}

/// A notice for a channel.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// Which.
    pub channel: String,
    /// What it is told.
    pub notice: Notice,
    /// The channel has taken it already, while the store was away.
    pub is_sent: bool,
}

/// How an attempt to deliver ended.
#[derive(Clone, Debug)]
pub struct DeliveryMark {
    /// Of which delivery.
    pub id: i64,
    /// What it is now; `Pending` if it is to be tried again.
    pub status: DeliveryStatus,
    /// Whether it was tried; a claim may also be given back as it was.
    pub tried: bool,
    /// When it is tried again.
    pub next_attempt_at: Instant,
    /// Why it was not taken.
    pub error: Option<String>,
    /// When it was taken.
    pub sent_at: Option<Instant>,
}

impl NewDelivery {
    /// As it is once it is queued at `now`.
    pub(super) fn stored(&self, id: i64, now: Instant) -> Delivery {
        Delivery {
            id,
            channel: self.channel.clone(),
            notice: self.notice.clone(),
            status: DeliveryStatus::Pending,
            attempts: 0,
            next_attempt_at: now,
            error: None,
            created_at: now,
            sent_at: None,
        }
    }
}
