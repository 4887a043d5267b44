//! A gate: a bot posts so many times a day and so far apart, by what it really posted.
//!
//! The run's own posts do not count, so that an attempt may go on where an earlier one stopped.

use async_trait::async_trait;
use chrono::{DurationRound, TimeDelta};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::{
    RunContext, SettingProblem, Skill, SkillError, Verdict,
    settings::{Reader, whole, zone},
    slots::slots,
};
use crate::domain::{
    Instant,
    pace::{ON_ITS_WAY, Pace, TooMuch},
    wall,
};

/// `rate_limiting`.
///
/// | setting | default | |
/// |---|---|---|
/// | `max_posts_per_day` | no limit | in a calendar day of the zone, 1 to 1,000,000 |
/// | `min_interval_minutes` | no limit | from one post to the next, 0 to 525,600 (a year) |
/// | `timezone` | `UTC` | whose days |
#[derive(Clone, Copy, Debug)]
pub struct RateLimiting;

impl RateLimiting {
    /// The name in bot files.
    pub const NAME: &str = "rate_limiting";
}

const KEYS: [&str; 3] = ["max_posts_per_day", "min_interval_minutes", "timezone"];

/// A calendar day is never longer, wherever clocks are put back.
const LONGEST_DAY: TimeDelta = TimeDelta::days(2);

fn read(reader: &mut Reader<'_>) -> Pace {
    let minutes = reader.value("min_interval_minutes", |value| whole(value, 0..=525_600));
    Pace {
        per_day: reader.value("max_posts_per_day", |value| whole(value, 1..=1_000_000)),
        apart: minutes.map(|minutes| TimeDelta::minutes(minutes.into())),
        zone: reader.value("timezone", zone).unwrap_or(Tz::UTC),
    }
}

#[async_trait]
impl Skill for RateLimiting {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn shared(&self) -> &[&str] {
        &KEYS
    }

    fn guards_posting(&self) -> bool {
        true
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<SettingProblem> {
        let mut reader = Reader::new(settings, "").only(&KEYS);
        read(&mut reader);
        reader.problems()
    }

    fn looks_back(&self, settings: &Map<String, Value>) -> TimeDelta {
        let apart = read(&mut Reader::new(settings, "")).apart;
        LONGEST_DAY.max(apart.unwrap_or_default())
    }

    async fn run(
        &self,
        run: &mut RunContext<'_>,
        settings: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        if let Some(idle) = run.idle() {
            return Ok(idle);
        }
        let mut reader = Reader::new(settings, "");
        let pace = read(&mut reader);
        let pace = reader.good(pace)?;
        if pace.per_day.is_none() && pace.apart.is_none() {
            return Ok(Verdict::NothingToDo(
                "there is no limit; set `max_posts_per_day` or `min_interval_minutes`".into(),
            ));
        }
        let tally = run.shelf.post_tally(pace.today(run.now)).await?;
        let slots = slots(run);
        let slot_before = |posted: Instant| {
            let first = posted.checked_sub_signed(ON_ITS_WAY)?;
            slots.as_ref()?.latest(first, posted)
        };
        Ok(match pace.allow(run.now, tally, slot_before) {
            Ok(()) => Verdict::Done,
            Err(too_much) => Verdict::Stop(reason(too_much, pace.zone)),
        })
    }
}

fn reason(too_much: TooMuch, zone: Tz) -> String {
    match too_much {
        TooMuch::Today {
            posted,
            limit,
            next,
        } => format!(
            "{posted} of {limit} posts of the day are out; the next may go from {}",
            shown(zone, next)
        ),
        TooMuch::TooSoon { last, apart, next } => format!(
            "the last post was at {}, and {} min are to lie between two; the next may go from {}",
            shown(zone, last),
            apart.num_minutes(),
            shown(zone, next)
        ),
    }
}

/// To the minute, and never too early.
fn shown(zone: Tz, at: Instant) -> String {
    let up = at.duration_round_up(TimeDelta::minutes(1));
    wall::shown(zone, up.unwrap_or(at))
}
