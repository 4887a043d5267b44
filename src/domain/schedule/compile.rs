//! From a schedule as configured to the slots of one bot.

use chrono::DateTime;

use super::{
    Schedule, ScheduleKind, ScheduleSpec,
    cron::{AtChange, Cron},
    expression::Expression,
    simple::{Bounded, Interval, Single},
    zone::Zone,
};
use crate::domain::Instant;

impl ScheduleSpec {
    /// The schedule over the anchor of one bot.
    ///
    /// A schedule whose slots all lie in the past is none of its errors, because a stored one must still be evaluated:
    /// whoever reads configuration asks for [`Schedule::next_from`] as well.
    ///
    /// # Errors
    /// What is wrong with the expression or the values, and what would be right. A schedule that has no slot at all,
    /// such as one for a 30 February, is an error.
    pub fn compile(&self, anchor: Instant) -> Result<Box<dyn Schedule>, String> {
        self.bounds_in_order()?;
        match &self.kind {
            ScheduleKind::Cron {
                expression,
                timezone,
                dst_gap,
                dst_fold,
            } => {
                let at_change = AtChange::Fixed(*dst_gap, *dst_fold);
                self.some_slot(cron(expression, *timezone, at_change)?)
            }
            ScheduleKind::Interval { seconds: 0 } => Err("seconds must be at least 1".into()),
            ScheduleKind::Interval { seconds } => Ok(self.bounded(Interval {
                anchor,
                seconds: *seconds,
            })),
            ScheduleKind::Once { at } => self.some_slot(Single { at: *at }),
            ScheduleKind::Immediate => Ok(self.bounded(Single {
                at: self.starts_at.map_or(anchor, |first| first.max(anchor)),
            })),
        }
    }

    fn bounds_in_order(&self) -> Result<(), String> {
        match (self.starts_at, self.ends_at) {
            (Some(first), Some(last)) if first > last => Err(format!(
                "ends_at {last} is before starts_at {first}; it must be later"
            )),
            _ => Ok(()),
        }
    }

    fn bounded<S: Schedule + 'static>(&self, schedule: S) -> Box<dyn Schedule> {
        if self.starts_at.is_none() && self.ends_at.is_none() {
            return Box::new(schedule);
        }
        Box::new(Bounded::new(schedule, self.starts_at, self.ends_at))
    }

    fn some_slot<S: Schedule + 'static>(&self, schedule: S) -> Result<Box<dyn Schedule>, String> {
        let schedule = self.bounded(schedule);
        if schedule.next_from(DateTime::UNIX_EPOCH).is_some() {
            return Ok(schedule);
        }
        Err(if self.starts_at.is_some() || self.ends_at.is_some() {
            "it has no slot between starts_at and ends_at; it would never run".into()
        } else {
            "it has no slot after 1970; it would never run".into()
        })
    }
}

fn cron(expression: &str, timezone: chrono_tz::Tz, fixed: AtChange) -> Result<Cron, String> {
    let found = Expression::parse(expression)?;
    Ok(Cron {
        calendar: found.calendar,
        zone: Zone::of(timezone),
        at_change: if found.fixed_hours {
            fixed
        } else {
            AtChange::RealTime
        },
    })
}
