//! Slots that did not run: one row over a range, which grows as long as the reason stays the same.

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*, select, sqlite::Sqlite};

use super::Tx;
use crate::{
    domain::{bot::BotName, fact::Fact, outcome::Gap, run::Trigger, slots::GapRange},
    store::sqlite::{fault::Fault, fixed::Fixed, schema::executions, time::Time},
};

/// The row of a bot's ledger that comes last before some slot.
#[derive(Queryable, Selectable)]
#[diesel(table_name = executions, check_for_backend(Sqlite))]
struct Before {
    id: i64,
    scheduled_for: Option<Time>,
    slot_last: Option<Time>,
    status: String,
    reason: Option<String>,
    started_at: Option<Time>,
}

impl Before {
    /// The last slot that the row accounts for.
    fn last(&self) -> Option<Time> {
        self.slot_last.or(self.scheduled_for)
    }

    /// Whether slots from `first` on with this reason continue the row.
    fn continues(&self, gap: Gap, first: Time) -> bool {
        self.started_at.is_none()
            && self.status == gap.status().as_str()
            && self.reason.as_deref() == Some(gap.reason())
            && self.last().is_some_and(|last| last < first)
    }
}

/// Records slots that did not run, in the row before them if they continue it and in a row of their own otherwise.
pub(super) fn record(
    tx: &mut Tx<'_>,
    bot: &BotName,
    actor_name: &str,
    range: &GapRange,
) -> Result<(), Fault> {
    if range.slots == 0 || grow(tx, bot, range)? {
        return Ok(());
    }
    diesel::insert_into(executions::table)
        .values((
            executions::task_id.eq(bot.as_str()),
            executions::actor_name.eq(actor_name),
            executions::trigger.eq(Trigger::Schedule.as_str()),
            executions::scheduled_for.eq(Time(range.first)),
            executions::slots.eq(count(range)),
            executions::slot_last.eq(Time(range.last)),
            executions::status.eq(range.gap.status().as_str()),
            executions::reason.eq(range.gap.reason()),
            executions::created_at.eq(Time(tx.now)),
        ))
        .execute(tx.conn)?;
    tx.facts.push(Fact::passed_over(bot, range));
    Ok(())
}

/// Lets the row before the range grow by it; `false` if the range does not continue that row.
pub(super) fn grow(tx: &mut Tx<'_>, bot: &BotName, range: &GapRange) -> Result<bool, Fault> {
    let first = Time(range.first);
    let row = before(tx, bot.as_str(), first)?.filter(|row| row.continues(range.gap, first));
    let Some(row) = row else {
        return Ok(false);
    };
    Fixed(diesel::update(executions::table.find(row.id)).set((
        executions::slots.eq(executions::slots + count(range)),
        executions::slot_last.eq(Time(range.last)),
    )))
    .execute(tx.conn)?;
    tx.facts.push(Fact::passed_over(bot, range));
    Ok(true)
}

/// Whether the ledger says already what became of a slot.
pub(super) fn is_accounted(tx: &mut Tx<'_>, bot: &BotName, slot: Time) -> Result<bool, Fault> {
    let after = Time(slot.0 + chrono::TimeDelta::microseconds(1));
    let newest = before(tx, bot.as_str(), after)?;
    Ok(newest
        .and_then(|row| row.last())
        .is_some_and(|last| last >= slot))
}

/// Whether the ledger accounts for slots after this one.
pub(super) fn has_later(tx: &mut Tx<'_>, bot: &str, slot: Time) -> Result<bool, Fault> {
    let later = executions::table
        .filter(executions::task_id.eq(bot))
        .filter(executions::scheduled_for.gt(slot));
    Ok(select(exists(later)).get_result(tx.conn)?)
}

/// A single slot as a range.
pub(super) const fn single(slot: DateTime<Utc>, gap: Gap) -> GapRange {
    GapRange {
        first: slot,
        last: slot,
        slots: 1,
        gap,
    }
}

fn before(tx: &mut Tx<'_>, bot: &str, slot: Time) -> Result<Option<Before>, Fault> {
    let row = executions::table
        .filter(executions::task_id.eq(bot))
        .filter(executions::scheduled_for.lt(slot))
        .order(executions::scheduled_for.desc())
        .select(Before::as_select())
        .get_result(tx.conn)
        .optional()?;
    Ok(row)
}

fn count(range: &GapRange) -> i64 {
    i64::try_from(range.slots).unwrap_or(i64::MAX)
}
