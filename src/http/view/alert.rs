//! Alerts, as clients see them.

use serde::Serialize;
use utoipa::ToSchema;

use super::time::Time;
use crate::{
    actors::messages::{AlertTested, AlertsFound},
    domain::alert::{Delivery, Incident},
};

/// What is wrong now, and what was told lately.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Alerts {
    /// Incidents that are not over, the oldest first.
    pub open: Vec<IncidentView>,
    /// Deliveries to the channels, the newest first.
    pub deliveries: Vec<DeliveryView>,
}

impl From<AlertsFound> for Alerts {
    fn from(found: AlertsFound) -> Self {
        Self {
            open: found.open.into_iter().map(IncidentView::from).collect(),
            deliveries: found
                .deliveries
                .into_iter()
                .map(DeliveryView::from)
                .collect(),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Incident)]
pub struct IncidentView {
    /// What it is known by from its beginning to its end.
    #[schema(example = "failures/daily_poster")]
    pub incident: String,
    /// `failures`, `held`, `missed`, `given_up`, `stalled`, `breaker_open` or `dead_posts`.
    #[schema(value_type = String, example = "failures")]
    pub kind: &'static str,
    /// The bot, if it is about one.
    pub actor: Option<String>,
    /// `info`, `warning`, `error` or `critical`.
    #[schema(value_type = String, example = "warning")]
    pub severity: &'static str,
    /// One line.
    pub title: String,
    /// What is known, of several lines perhaps.
    pub detail: String,
    /// When it began.
    pub since: Time,
    /// When anybody was told of it last.
    pub reminded_at: Option<Time>,
    /// How much of it: failed runs in a row, missed slots; 1 for what has no number.
    pub count: u64,
}

impl From<Incident> for IncidentView {
    fn from(incident: Incident) -> Self {
        Self {
            kind: incident.kind.as_str(),
            actor: incident.bot.as_ref().map(ToString::to_string),
            severity: incident.severity.as_str(),
            incident: incident.key,
            title: incident.title,
            detail: incident.detail,
            since: Time(incident.since),
            reminded_at: incident.reminded_at.map(Time),
            count: incident.count,
        }
    }
}

/// What one channel is told about one step of an incident.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AlertDelivery)]
pub struct DeliveryView {
    /// Grows with time.
    pub id: i64,
    /// `webhook`, `discord` or `pagerduty`.
    #[schema(example = "webhook")]
    pub channel: String,
    /// The incident.
    #[schema(example = "failures/daily_poster")]
    pub incident: String,
    /// What is wrong.
    #[schema(value_type = String, example = "failures")]
    pub kind: &'static str,
    /// `raised`, `reminder` or `recovered`.
    #[schema(value_type = String, example = "raised")]
    pub stage: &'static str,
    /// `info`, `warning`, `error` or `critical`.
    #[schema(value_type = String, example = "warning")]
    pub severity: &'static str,
    /// The bot, if it is about one.
    pub actor: Option<String>,
    /// One line.
    pub title: String,
    /// `pending`, `sent`, `failed` (refused, or not taken in time) or `dropped` (summed up in a digest).
    #[schema(value_type = String, example = "sent")]
    pub status: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; null unless it is pending.
    pub next_attempt_at: Option<Time>,
    /// Why the last attempt failed, or where it is summed up.
    pub error: Option<String>,
    /// When it was stored.
    pub created_at: Time,
    /// When the channel took it.
    pub sent_at: Option<Time>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let waits = delivery.status == crate::domain::alert::DeliveryStatus::Pending;
        let notice = delivery.notice;
        Self {
            id: delivery.id,
            channel: delivery.channel,
            kind: notice.kind.as_str(),
            stage: notice.stage.as_str(),
            severity: notice.severity.as_str(),
            actor: notice.bot.as_ref().map(ToString::to_string),
            incident: notice.incident,
            title: notice.title,
            status: delivery.status.as_str(),
            attempts: delivery.attempts,
            next_attempt_at: waits.then_some(Time(delivery.next_attempt_at)),
            error: delivery.error,
            created_at: Time(delivery.created_at),
            sent_at: delivery.sent_at.map(Time),
        }
    }
}

/// What one channel said to the test notice.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AlertTested)]
pub struct TestedView {
    /// `webhook`, `discord` or `pagerduty`.
    #[schema(example = "webhook")]
    pub channel: String,
    /// Whether it took it.
    pub sent: bool,
    /// Why not.
    pub error: Option<String>,
}

impl From<AlertTested> for TestedView {
    fn from(AlertTested { channel, error }: AlertTested) -> Self {
        Self {
            channel,
            sent: error.is_none(),
            error,
        }
    }
}
