//! Rows of `actor_server_executions`: as readers see them, and as the writer needs them.

use diesel::{
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::Bool,
    sqlite::Sqlite,
};
use serde_json::Value;

use super::state::bot_name;
use crate::{
    domain::{
        Instant,
        outcome::Status,
        run::{Claim, ExecutionId, Trigger},
    },
    store::{
        LedgerRow, LiveRow,
        sqlite::{
            fault::{Fault, unknown},
            schema::executions,
            time::{Time, read},
        },
    },
};

/// One row of the ledger, as readers see it.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = executions, check_for_backend(Sqlite))]
pub(in crate::store::sqlite) struct ExecutionRow {
    id: i64,
    task_id: String,
    actor_name: String,
    trigger: String,
    scheduled_for: Option<Time>,
    slots: i64,
    slot_last: Option<Time>,
    status: String,
    reason: Option<String>,
    attempt: i64,
    replica: Option<String>,
    started_at: Option<Time>,
    completed_at: Option<Time>,
    success: Option<bool>,
    skills_succeeded: i32,
    skills_failed: i32,
    skills_skipped: i32,
    error_message: Option<String>,
    cancel_requested: bool,
    metadata: Value,
    created_at: Time,
}

impl TryFrom<ExecutionRow> for LedgerRow {
    type Error = Fault;

    fn try_from(row: ExecutionRow) -> Result<Self, Fault> {
        Ok(Self {
            id: ExecutionId(row.id),
            bot: bot_name(&row.task_id)?,
            actor_name: row.actor_name,
            trigger: trigger(&row.trigger)?,
            scheduled_for: read(row.scheduled_for),
            slots: row.slots,
            slot_last: read(row.slot_last),
            status: Status::parse(&row.status).ok_or_else(|| unknown("status", &row.status))?,
            reason: row.reason,
            attempt: row.attempt.try_into().unwrap_or(u32::MAX),
            replica: row.replica,
            started_at: read(row.started_at),
            completed_at: read(row.completed_at),
            success: row.success,
            skills: [row.skills_succeeded, row.skills_failed, row.skills_skipped],
            error: row.error_message,
            cancel_requested: row.cancel_requested,
            created_at: row.created_at.0,
            metadata: row.metadata,
        })
    }
}

/// A row with status `running`, as far as writes need it.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = executions, check_for_backend(Sqlite))]
pub(in crate::store::sqlite) struct OpenRow {
    pub(in crate::store::sqlite) id: i64,
    pub(in crate::store::sqlite) task_id: String,
    pub(in crate::store::sqlite) trigger: String,
    pub(in crate::store::sqlite) scheduled_for: Option<Time>,
    pub(in crate::store::sqlite) attempt: i64,
    pub(in crate::store::sqlite) started_at: Option<Time>,
    pub(in crate::store::sqlite) replica: Option<String>,
    pub(in crate::store::sqlite) metadata: Value,
    pub(in crate::store::sqlite) created_at: Time,
}

impl OpenRow {
    /// Whether work has been done for this row: by this attempt, or by one whose process died.
    pub(in crate::store::sqlite) const fn has_run(&self) -> bool {
        self.started_at.is_some() || self.attempt > 1
    }

    /// The number of the attempt that is to come if the row's process has died. One that it died before keeps its number.
    pub(in crate::store::sqlite) const fn next_attempt(&self) -> i64 {
        self.attempt
            .saturating_add(self.started_at.is_some() as i64)
    }

    /// The attempts that ended because their process died, oldest first.
    pub(in crate::store::sqlite) fn interrupted(&self) -> &[Value] {
        let list = self.metadata.get("interrupted").and_then(Value::as_array);
        list.map(Vec::as_slice).unwrap_or_default()
    }

    /// When the last attempt started, be it this one or one whose process died.
    pub(in crate::store::sqlite) fn last_start(&self) -> Option<Time> {
        self.started_at.or_else(|| {
            let start = self.interrupted().last()?.get("started_at")?;
            serde_json::from_value(start.clone()).ok().map(Time)
        })
    }

    /// The right to run it.
    pub(in crate::store::sqlite) fn claim(&self) -> Result<Claim, Fault> {
        let slot: Option<Instant> = read(self.scheduled_for);
        Ok(Claim {
            execution: ExecutionId(self.id),
            bot: bot_name(&self.task_id)?,
            trigger: trigger(&self.trigger)?,
            slot,
            due: slot.unwrap_or(self.created_at.0),
            attempt: self.attempt.try_into().unwrap_or(u32::MAX),
        })
    }

    /// The row for its owner.
    pub(in crate::store::sqlite) fn live(&self) -> Result<LiveRow, Fault> {
        Ok(LiveRow {
            claim: self.claim()?,
            started_at: read(self.started_at),
            metadata: self.metadata.clone(),
        })
    }
}

fn trigger(word: &str) -> Result<Trigger, Fault> {
    Trigger::parse(word).ok_or_else(|| unknown("trigger", word))
}

/// `status = 'running'`, written out: a bound value would keep SQLite from using the index on such rows,
/// and diesel's literals would keep it from caching the statement.
#[derive(Clone, Copy, Debug, QueryId)]
pub(in crate::store::sqlite) struct IsRunning;

impl Expression for IsRunning {
    type SqlType = Bool;
}

impl QueryFragment<Sqlite> for IsRunning {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("`actor_server_executions`.`status` = 'running'");
        Ok(())
    }
}

impl diesel::expression::ValidGrouping<()> for IsRunning {
    type IsAggregate = diesel::expression::is_aggregate::No;
}

impl AppearsOnTable<executions::table> for IsRunning {}
impl SelectableExpression<executions::table> for IsRunning {}
