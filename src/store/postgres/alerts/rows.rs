//! Rows of the two tables, as diesel reads them.

use diesel::{
    QueryResult, QueryableByName,
    result::Error,
    sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Timestamptz},
};
use serde_json::Value;

use crate::{
    domain::{
        Instant,
        alert::{Due, Incident},
    },
    store::alerts::{AlertColumns, IncidentColumns},
};

fn broken(what: String) -> Error {
    Error::DeserializationError(what.into())
}

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
    #[diesel(sql_type = Timestamptz)]
    pub(super) since: Instant,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) reminded_at: Option<Instant>,
    #[diesel(sql_type = BigInt)]
    pub(super) count: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) recovered_at: Option<Instant>,
    #[diesel(sql_type = Jsonb)]
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
    #[diesel(sql_type = Jsonb)]
    pub(super) notice: Value,
    #[diesel(sql_type = Text)]
    pub(super) status: String,
    #[diesel(sql_type = BigInt)]
    pub(super) attempts: i64,
    #[diesel(sql_type = Timestamptz)]
    pub(super) next_attempt_at: Instant,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) error: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub(super) created_at: Instant,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) sent_at: Option<Instant>,
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
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) at: Option<Instant>,
}

impl IncidentRow {
    pub(super) fn read(self) -> QueryResult<Incident> {
        let columns = IncidentColumns {
            id: self.id,
            key: self.key,
            kind: self.kind,
            bot: self.bot,
            severity: self.severity,
            title: self.title,
            detail: self.detail,
            since: self.since,
            reminded_at: self.reminded_at,
            count: self.count,
            recovered_at: self.recovered_at,
            memory: self.memory,
            revision: self.revision,
        };
        columns.read().map_err(broken)
    }
}

impl AlertRow {
    pub(super) fn read(self) -> QueryResult<Due> {
        let columns = AlertColumns {
            id: self.id,
            channel: self.channel,
            notice: self.notice,
            status: self.status,
            attempts: self.attempts,
            next_attempt_at: self.next_attempt_at,
            error: self.error,
            created_at: self.created_at,
            sent_at: self.sent_at,
            raise_was_sent: self.raise_was_sent,
            is_behind: self.is_behind,
        };
        columns.read().map_err(broken)
    }
}
