//! Pages of rows as SQL that both backends understand: what is asked for becomes conditions and bound values, never
//! text of the statement. Newest first means by `id`, so that a page stays right while rows arrive.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::domain::{
    Instant, audit::AuditQuery, content::ContentQuery, ledger::LedgerQuery, outcome::Status,
    run::Trigger,
};

/// The time of a row of the ledger: the last slot of a range, or the moment of a run.
pub(super) const LAST: &str = "coalesce(e.slot_last, e.started_at, e.scheduled_for, e.created_at)";

/// The first moment of a row of the ledger.
const FIRST: &str = "coalesce(e.started_at, e.scheduled_for, e.created_at)";

/// A bound value.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    /// `text`.
    Text(String),
    /// A moment.
    Time(Instant),
    /// `bigint`.
    Number(i64),
}

/// How a backend writes the place of a bound value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Marks {
    /// `?`
    Plain,
    /// `$1`, `$2`, …
    Numbered,
}

/// All that follows `FROM table`: `WHERE … ORDER BY … LIMIT …`.
#[derive(Debug)]
pub(super) struct Page {
    /// The text.
    pub(super) sql: String,
    /// The values, in order.
    pub(super) bound: Vec<Bound>,
    marks: Marks,
}

impl Page {
    /// Conditions on rows with an id below `after`.
    fn below(column: &str, after: Option<i64>, marks: Marks) -> Self {
        let mut page = Self {
            sql: "WHERE ".to_owned(),
            bound: Vec::new(),
            marks,
        };
        page.add(column, " < ", Bound::Number(after.unwrap_or(i64::MAX)));
        page
    }

    fn add(&mut self, left: &str, operator: &str, value: Bound) {
        self.bound.push(value);
        self.sql.push_str(left);
        self.sql.push_str(operator);
        match self.marks {
            Marks::Plain => self.sql.push('?'),
            // Writing to a string cannot fail.
            Marks::Numbered => drop(write!(self.sql, "${}", self.bound.len())),
        }
    }

    fn and(&mut self, left: &str, operator: &str, value: Option<Bound>) {
        if let Some(value) = value {
            self.sql.push_str(" AND ");
            self.add(left, operator, value);
        }
    }

    fn and_also(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }

    fn cut(mut self, order: &str, limit: u32, offset: u32) -> Self {
        self.add(order, " LIMIT ", Bound::Number(i64::from(limit)));
        if offset > 0 {
            self.add("", " OFFSET ", Bound::Number(i64::from(offset)));
        }
        self
    }

    /// Rows of the ledger `e`.
    pub(super) fn ledger(query: &LedgerQuery, marks: Marks) -> Self {
        let mut page = Self::below("e.id", query.after.map(|id| id.0), marks);
        let bot = query.bot.as_ref().map(|bot| bot.as_str().to_owned());
        page.and("e.task_id", " = ", bot.map(Bound::Text));
        if let Some(status) = query.status {
            page.and_also(status_is(status));
        }
        if let Some(trigger) = query.trigger {
            page.and_also(trigger_is(trigger));
        }
        if !query.all {
            page.and_also("(e.status = 'running' OR e.started_at IS NOT NULL)");
        }
        page.window(query);
        page.cut(" ORDER BY e.id DESC", query.limit, query.offset)
    }

    /// A range of slots is inside if any of it is. Runs have one moment, by which they are found in the index.
    fn window(&mut self, query: &LedgerQuery) {
        let before = if query.all { FIRST } else { LAST };
        self.and(LAST, " >= ", query.since.map(bounded).map(Bound::Time));
        self.and(before, " < ", query.until.map(bounded).map(Bound::Time));
    }

    /// Only what an index on [`LAST`] knows of the window of time: as many rows as `limit` says, in any order.
    pub(super) fn ledger_by_time(query: &LedgerQuery, limit: u32, marks: Marks) -> Self {
        let mut page = Self::below("e.id", query.after.map(|id| id.0), marks);
        page.window(&LedgerQuery {
            until: query.until.filter(|_| !query.all),
            ..query.clone()
        });
        page.cut("", limit, 0)
    }

    /// Entries `a` of the record of who did what.
    pub(super) fn audit(query: &AuditQuery, marks: Marks) -> Self {
        let mut page = Self::below("a.id", query.after, marks);
        page.and("a.subject", " = ", query.subject.clone().map(Bound::Text));
        page.and("a.action", " = ", query.action.clone().map(Bound::Text));
        page.and("a.target", " = ", query.target.clone().map(Bound::Text));
        page.and("a.at", " >= ", query.since.map(bounded).map(Bound::Time));
        page.and("a.at", " < ", query.until.map(bounded).map(Bound::Time));
        page.cut(" ORDER BY a.id DESC", query.limit, 0)
    }

    /// Items `c` of a knowledge table.
    pub(super) fn content(query: &ContentQuery, marks: Marks) -> Self {
        let mut page = Self::below("c.id", query.after, marks);
        page.and(
            "c.table_name",
            " = ",
            Some(Bound::Text(query.table.clone())),
        );
        page.cut(" ORDER BY c.id DESC", query.limit, 0)
    }

    /// Whether a text holds a NUL, which PostgreSQL has in no row.
    pub(super) fn asks_for_nul(&self) -> bool {
        let nul = |bound: &Bound| matches!(bound, Bound::Text(text) if text.contains('\0'));
        self.bound.iter().any(nul)
    }
}

/// Written out, and so that the condition of the index on ended rows follows from it word by word.
const fn status_is(status: Status) -> &'static str {
    match status {
        Status::Running => "e.status = 'running'",
        Status::Succeeded => "e.status = 'succeeded' AND e.status <> 'running'",
        Status::Failed => "e.status = 'failed' AND e.status <> 'running'",
        Status::TimedOut => "e.status = 'timed_out' AND e.status <> 'running'",
        Status::Panicked => "e.status = 'panicked' AND e.status <> 'running'",
        Status::Cancelled => "e.status = 'cancelled' AND e.status <> 'running'",
        Status::Abandoned => "e.status = 'abandoned' AND e.status <> 'running'",
        Status::Skipped => "e.status = 'skipped' AND e.status <> 'running'",
        Status::Missed => "e.status = 'missed' AND e.status <> 'running'",
    }
}

/// The same for the index on triggers.
const fn trigger_is(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Schedule => "e.trigger = 'schedule'",
        Trigger::Manual => "e.trigger = 'manual' AND e.trigger <> 'schedule'",
        Trigger::Event => "e.trigger = 'event' AND e.trigger <> 'schedule'",
    }
}

/// The moment, or the nearest one with a year of four digits: later ones sort wrongly as text, and PostgreSQL's reach is
/// not chrono's.
pub(super) fn bounded(at: Instant) -> Instant {
    let first = NaiveDate::from_ymd_opt(1, 1, 1).map(|day| day.and_time(NaiveTime::MIN));
    let last = NaiveDate::from_ymd_opt(9999, 12, 31).and_then(|day| day.and_hms_opt(23, 59, 59));
    match (first, last) {
        (Some(first), Some(last)) => at.clamp(utc(first), utc(last)),
        _ => at,
    }
}

fn utc(at: chrono::NaiveDateTime) -> DateTime<Utc> {
    at.and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_written_out_is_the_stored_one() {
        for status in Status::ALL {
            let condition = status_is(status);
            assert!(condition.starts_with(&format!("e.status = '{}'", status.as_str())));
        }
        for trigger in [Trigger::Schedule, Trigger::Manual, Trigger::Event] {
            let condition = trigger_is(trigger);
            assert!(condition.starts_with(&format!("e.trigger = '{}'", trigger.as_str())));
        }
    }

    #[test]
    fn a_moment_beyond_four_digits_becomes_the_nearest_within() {
        assert_eq!(
            bounded(DateTime::<Utc>::MAX_UTC).to_rfc3339(),
            "9999-12-31T23:59:59+00:00"
        );
        assert_eq!(
            bounded(DateTime::<Utc>::MIN_UTC).to_rfc3339(),
            "0001-01-01T00:00:00+00:00"
        );
        let usual = DateTime::from_timestamp(1_790_000_000, 5_000).unwrap();
        assert_eq!(bounded(usual), usual);
    }

    #[test]
    fn places_are_numbered_where_the_backend_wants_it() {
        let query = AuditQuery {
            subject: Some("it's".into()),
            limit: 5,
            ..AuditQuery::default()
        };
        let plain = Page::audit(&query, Marks::Plain).sql;
        assert_eq!(
            plain,
            "WHERE a.id < ? AND a.subject = ? ORDER BY a.id DESC LIMIT ?"
        );
        let numbered = Page::audit(&query, Marks::Numbered).sql;
        assert_eq!(
            numbered,
            "WHERE a.id < $1 AND a.subject = $2 ORDER BY a.id DESC LIMIT $3"
        );
    }
}
