//! Rows of the two tables, as diesel reads them.

use diesel::{
    prelude::*,
    sql_types::{BigInt, Bool, Json, Nullable, Text},
};
use serde_json::Value;

use crate::{
    domain::alert::{Due, Incident},
    store::{
        alerts::{AlertColumns, IncidentColumns},
        sqlite::{
            fault::Fault,
            time::{Time, read},
        },
    },
};

#[derive(QueryableByName)]
pub(super) struct IncidentRow {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Text)]
    pub(super) key: String,
    #[diesel(sql_type = Text)]
    pub(super) kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) bot: Option<String>,
    #[diesel(sql_type = Text)]
    pub(super) severity: String,
    #[diesel(sql_type = Text)]
    pub(super) title: String,
    #[diesel(sql_type = Text)]
    pub(super) detail: String,
    #[diesel(sql_type = Text)]
    pub(super) since: Time,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) reminded_at: Option<Time>,
    #[diesel(sql_type = BigInt)]
    pub(super) count: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) recovered_at: Option<Time>,
    #[diesel(sql_type = Json)]
    pub(super) memory: Value,
    #[diesel(sql_type = BigInt)]
    pub(super) revision: i64,
}

#[derive(QueryableByName)]
pub(super) struct AlertRow {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Text)]
    pub(super) channel: String,
    #[diesel(sql_type = Json)]
    pub(super) notice: Value,
    #[diesel(sql_type = Text)]
    pub(super) status: String,
    #[diesel(sql_type = BigInt)]
    pub(super) attempts: i64,
    #[diesel(sql_type = Text)]
    pub(super) next_attempt_at: Time,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) error: Option<String>,
    #[diesel(sql_type = Text)]
    pub(super) created_at: Time,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) sent_at: Option<Time>,
    #[diesel(sql_type = Bool)]
    pub(super) raise_was_sent: bool,
    #[diesel(sql_type = Bool)]
    pub(super) is_behind: bool,
}

#[derive(QueryableByName)]
pub(super) struct Stored {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) revision: i64,
}

#[derive(QueryableByName)]
pub(super) struct Id {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
}

#[derive(QueryableByName)]
pub(super) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(super) n: i64,
}

#[derive(QueryableByName)]
pub(super) struct Moment {
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) at: Option<Time>,
}

impl IncidentRow {
    pub(super) fn read(self) -> Result<Incident, Fault> {
        let columns = IncidentColumns {
            id: self.id,
            key: self.key,
            kind: self.kind,
            bot: self.bot,
            severity: self.severity,
            title: self.title,
            detail: self.detail,
            since: self.since.0,
            reminded_at: read(self.reminded_at),
            count: self.count,
            recovered_at: read(self.recovered_at),
            memory: self.memory,
            revision: self.revision,
        };
        columns.read().map_err(Fault::Stored)
    }
}

impl AlertRow {
    pub(super) fn read(self) -> Result<Due, Fault> {
        let columns = AlertColumns {
            id: self.id,
            channel: self.channel,
            notice: self.notice,
            status: self.status,
            attempts: self.attempts,
            next_attempt_at: self.next_attempt_at.0,
            error: self.error,
            created_at: self.created_at.0,
            sent_at: read(self.sent_at),
            raise_was_sent: self.raise_was_sent,
            is_behind: self.is_behind,
        };
        columns.read().map_err(Fault::Stored)
    }
}
