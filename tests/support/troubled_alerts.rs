//! Incidents and notices of a store that a test can cut off.

use actor_server::{
    domain::{
        Instant,
        alert::{Delivery, Incident, Outbox},
        run::ReplicaId,
    },
    store::{AlertStore, DeliveryMark, IncidentChange, NewDelivery, StoreError},
};
use async_trait::async_trait;

use super::Troubled;

#[async_trait]
impl AlertStore for Troubled {
    async fn keep_incidents(
        &self,
        changes: &[IncidentChange],
        now: Instant,
    ) -> Result<Vec<Option<(i64, i64)>>, StoreError> {
        self.reach_alerts()?.keep_incidents(changes, now).await
    }

    async fn incidents(&self, since: Instant) -> Result<Vec<Incident>, StoreError> {
        self.reach_alerts()?.incidents(since).await
    }

    async fn due_alerts(
        &self,
        me: &ReplicaId,
        channel: &str,
        now: Instant,
    ) -> Result<Outbox, StoreError> {
        self.reach_alerts()?.due_alerts(me, channel, now).await
    }

    async fn claim_alert(
        &self,
        me: &ReplicaId,
        id: i64,
        until: Instant,
        now: Instant,
    ) -> Result<bool, StoreError> {
        self.reach_alerts()?.claim_alert(me, id, until, now).await
    }

    async fn fold_alerts(
        &self,
        me: &ReplicaId,
        ids: &[i64],
        digest: &NewDelivery,
        until: Instant,
        now: Instant,
    ) -> Result<Delivery, StoreError> {
        let alerts = self.reach_alerts()?;
        alerts.fold_alerts(me, ids, digest, until, now).await
    }

    async fn mark_alert(&self, me: &ReplicaId, mark: &DeliveryMark) -> Result<(), StoreError> {
        self.reach_alerts()?.mark_alert(me, mark).await
    }

    async fn pending_alerts(&self) -> Result<u64, StoreError> {
        self.reach_alerts()?.pending_alerts().await
    }

    async fn deliveries(&self, limit: i64) -> Result<Vec<Delivery>, StoreError> {
        self.reach_alerts()?.deliveries(limit).await
    }

    async fn forget_alerts(&self, before: Instant) -> Result<u64, StoreError> {
        self.reach_alerts()?.forget_alerts(before).await
    }
}
