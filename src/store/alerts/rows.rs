//! From columns to what the domain knows, and back. A word that is not of its closed vocabulary is an error.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{
    Instant,
    alert::{AlertKind, Delivery, DeliveryStatus, Due, Incident, Memory, Notice, Severity, Stage},
    bot::BotName,
};

/// Columns of `actor_server_incidents`.
pub(in crate::store) struct IncidentColumns {
    pub(in crate::store) id: i64,
    pub(in crate::store) key: String,
    pub(in crate::store) kind: String,
    pub(in crate::store) bot: Option<String>,
    pub(in crate::store) severity: String,
    pub(in crate::store) title: String,
    pub(in crate::store) detail: String,
    pub(in crate::store) since: Instant,
    pub(in crate::store) reminded_at: Option<Instant>,
    pub(in crate::store) count: i64,
    pub(in crate::store) recovered_at: Option<Instant>,
    pub(in crate::store) memory: Value,
    pub(in crate::store) revision: i64,
}

/// Columns of `actor_server_alerts`, and what is known of the same incident's.
pub(in crate::store) struct AlertColumns {
    pub(in crate::store) id: i64,
    pub(in crate::store) channel: String,
    pub(in crate::store) notice: Value,
    pub(in crate::store) status: String,
    pub(in crate::store) attempts: i64,
    pub(in crate::store) next_attempt_at: Instant,
    pub(in crate::store) error: Option<String>,
    pub(in crate::store) created_at: Instant,
    pub(in crate::store) sent_at: Option<Instant>,
    pub(in crate::store) raise_was_sent: bool,
    pub(in crate::store) is_behind: bool,
}

/// A notice in the column `notice`.
#[derive(Serialize, Deserialize)]
struct StoredNotice {
    id: String,
    incident: String,
    kind: String,
    stage: String,
    severity: String,
    bot: Option<String>,
    title: String,
    detail: String,
    since: Instant,
    at: Instant,
    runbook: Option<String>,
}

/// The column `notice`.
pub(in crate::store) fn notice_json(notice: &Notice) -> Value {
    let stored = StoredNotice {
        id: notice.id.clone(),
        incident: notice.incident.clone(),
        kind: notice.kind.as_str().to_owned(),
        stage: notice.stage.as_str().to_owned(),
        severity: notice.severity.as_str().to_owned(),
        bot: notice.bot.as_ref().map(|bot| bot.as_str().to_owned()),
        title: notice.title.clone(),
        detail: notice.detail.clone(),
        since: notice.since,
        at: notice.at,
        runbook: notice.runbook.clone(),
    };
    serde_json::to_value(stored).unwrap_or_default()
}

fn known<T>(found: Option<T>, column: &str, word: &str) -> Result<T, String> {
    found.ok_or_else(|| format!("{column} holds the unknown word `{word}`"))
}

fn bot(name: Option<&str>) -> Result<Option<BotName>, String> {
    name.map(BotName::parse).transpose()
}

fn notice(value: Value) -> Result<Notice, String> {
    let stored: StoredNotice =
        serde_json::from_value(value).map_err(|error| format!("notice cannot be read: {error}"))?;
    let StoredNotice {
        kind,
        stage,
        severity,
        ..
    } = &stored;
    Ok(Notice {
        kind: known(AlertKind::parse(kind), "notice.kind", kind)?,
        stage: known(Stage::parse(stage), "notice.stage", stage)?,
        severity: known(Severity::parse(severity), "notice.severity", severity)?,
        bot: bot(stored.bot.as_deref())?,
        id: stored.id,
        incident: stored.incident,
        title: stored.title,
        detail: stored.detail,
        since: stored.since,
        at: stored.at,
        runbook: stored.runbook,
    })
}

impl IncidentColumns {
    pub(in crate::store) fn read(self) -> Result<Incident, String> {
        let memory: Memory = serde_json::from_value(self.memory)
            .map_err(|error| format!("memory cannot be read: {error}"))?;
        Ok(Incident {
            kind: known(AlertKind::parse(&self.kind), "kind", &self.kind)?,
            bot: bot(self.bot.as_deref())?,
            severity: known(Severity::parse(&self.severity), "severity", &self.severity)?,
            id: self.id,
            revision: self.revision,
            key: self.key,
            title: self.title,
            detail: self.detail,
            since: self.since,
            reminded_at: self.reminded_at,
            count: u64::try_from(self.count).unwrap_or(0),
            recovered_at: self.recovered_at,
            memory,
        })
    }

    /// The columns `count` and `memory`.
    pub(in crate::store) fn numbers(incident: &Incident) -> (i64, Value) {
        let memory = serde_json::to_value(&incident.memory).unwrap_or_default();
        (i64::try_from(incident.count).unwrap_or(i64::MAX), memory)
    }
}

impl AlertColumns {
    pub(in crate::store) fn read(self) -> Result<Due, String> {
        let status = known(DeliveryStatus::parse(&self.status), "status", &self.status)?;
        Ok(Due {
            delivery: Delivery {
                id: self.id,
                channel: self.channel,
                notice: notice(self.notice)?,
                status,
                attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
                next_attempt_at: self.next_attempt_at,
                error: self.error,
                created_at: self.created_at,
                sent_at: self.sent_at,
            },
            raise_was_sent: self.raise_was_sent,
            is_behind: self.is_behind,
        })
    }
}
