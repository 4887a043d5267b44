//! How often a bot may post: so many times a day, and so far apart.
//!
//! A day is a calendar day of the bot's zone. What is to lie between two posts is counted from the slot that the earlier one
//! was for, if it went out within a minute of it: the moments that a post takes on its way would otherwise cost a bot every
//! other slot of a schedule whose step is exactly the interval.

use chrono::{Days, TimeDelta};
use chrono_tz::Tz;

use super::{Instant, content::PostTally, wall};

/// The limits of one bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Posts in one calendar day.
    pub per_day: Option<u32>,
    /// From one post to the next.
    pub apart: Option<TimeDelta>,
    /// Whose days.
    pub zone: Tz,
}

/// Why a post may not go now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMuch {
    /// The day has its posts.
    Today {
        /// What was posted today.
        posted: u32,
        /// The limit.
        limit: u32,
        /// From when on the bot may post again.
        next: Instant,
    },
    /// The last post was too short a time ago.
    TooSoon {
        /// When it was posted.
        last: Instant,
        /// The limit.
        apart: TimeDelta,
        /// From when on the bot may post again.
        next: Instant,
    },
}

/// The longest way of a post that counts as its slot's.
pub const ON_ITS_WAY: TimeDelta = TimeDelta::minutes(1);

impl Pace {
    /// Since when posts count towards the limit of the day.
    #[must_use]
    pub fn today(&self, now: Instant) -> Instant {
        wall::start_of(self.zone, wall::date(self.zone, now))
    }

    /// Whether a post may go out now. `slot_before` answers the bot's last slot at or before a moment.
    ///
    /// # Errors
    /// The limit that stands against it, and until when all of them do.
    pub fn allow(
        &self,
        now: Instant,
        tally: PostTally,
        slot_before: impl Fn(Instant) -> Option<Instant>,
    ) -> Result<(), TooMuch> {
        let apart = self.apart.zip(tally.newest).and_then(|(apart, last)| {
            let next = counted_from(last, slot_before).checked_add_signed(apart)?;
            (now < next).then_some(TooMuch::TooSoon { last, apart, next })
        });
        let soonest = match apart {
            Some(TooMuch::TooSoon { next, .. }) => next,
            _ => now,
        };
        if let Some(limit) = self.per_day.filter(|limit| tally.since >= *limit) {
            return Err(TooMuch::Today {
                posted: tally.since,
                limit,
                next: self.tomorrow(now).max(soonest),
            });
        }
        apart.map_or(Ok(()), Err)
    }

    /// The first moment of the next day that there is.
    fn tomorrow(&self, now: Instant) -> Instant {
        let next = wall::date(self.zone, now).checked_add_days(Days::new(1));
        next.map_or(now, |date| wall::start_of(self.zone, date))
    }
}

fn counted_from(posted: Instant, slot_before: impl Fn(Instant) -> Option<Instant>) -> Instant {
    let slot = slot_before(posted).filter(|slot| posted - *slot <= ON_ITS_WAY);
    slot.unwrap_or(posted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn hourly(posted: Instant) -> Option<Instant> {
        use chrono::DurationRound;
        posted.duration_trunc(TimeDelta::hours(1)).ok()
    }

    fn pace(per_day: Option<u32>, minutes: Option<i64>) -> Pace {
        let apart = minutes.map(TimeDelta::minutes);
        Pace {
            per_day,
            apart,
            zone: Berlin,
        }
    }

    fn tally(since: u32, newest: &str) -> PostTally {
        let newest = Some(at(newest));
        PostTally { since, newest }
    }

    #[test]
    fn exactly_the_interval_apart_is_far_enough_and_a_second_less_is_not() {
        let pace = pace(None, Some(60));
        let posted = tally(1, "2026-03-04T09:30:00Z");
        let allow = |now| pace.allow(at(now), posted, |_| None);
        assert_eq!(allow("2026-03-04T10:30:00Z"), Ok(()));
        let Err(TooMuch::TooSoon { next, .. }) = allow("2026-03-04T10:29:59Z") else {
            panic!("it may go");
        };
        assert_eq!(next, at("2026-03-04T10:30:00Z"));
    }

    #[test]
    fn the_way_of_a_post_to_its_platform_costs_no_slot() {
        let pace = pace(None, Some(60));
        for (posted, allowed) in [
            ("2026-03-04T09:00:00.350Z", true),
            ("2026-03-04T09:01:00Z", true),
            // That is late: a whole hour has to pass.
            ("2026-03-04T09:01:01Z", false),
            ("2026-03-04T09:20:00Z", false),
        ] {
            let answer = pace.allow(at("2026-03-04T10:00:00.010Z"), tally(1, posted), hourly);
            assert_eq!(answer.is_ok(), allowed, "{posted}");
        }
    }

    #[test]
    fn a_full_day_waits_for_the_next_and_for_the_interval_too() {
        let pace = pace(Some(2), Some(120));
        let full = |newest| {
            let answer = pace.allow(at("2026-03-04T22:30:00Z"), tally(2, newest), |_| None);
            match answer {
                Err(TooMuch::Today { next, .. }) => next,
                other => panic!("{other:?}"),
            }
        };
        // Midnight in Berlin.
        assert_eq!(full("2026-03-04T12:00:00Z"), at("2026-03-04T23:00:00Z"));
        assert_eq!(full("2026-03-04T22:00:00Z"), at("2026-03-05T00:00:00Z"));
    }

    #[test]
    fn without_limits_and_without_posts_everything_may_go() {
        let now = at("2026-03-04T09:00:00Z");
        assert_eq!(
            pace(None, None).allow(now, tally(9, "2026-03-04T09:00:00Z"), hourly),
            Ok(())
        );
        let nothing = PostTally::default();
        assert_eq!(pace(Some(1), Some(60)).allow(now, nothing, hourly), Ok(()));
    }
}
