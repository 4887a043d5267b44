//! The hours of a day in which a bot may post, as the clocks on the wall of its zone show them.
//!
//! Only what the clock shows counts: an hour that clocks show twice is in the window both times, one that they skip never
//! was. A window over midnight belongs to the day on which it opens.

use chrono::{DurationRound, NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};

use super::{Instant, bot::BotName, schedule::Schedule, wall};

/// Window and zone; times of day are whole minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first minute in it.
    pub start: NaiveTime,
    /// The first minute after it. Not after `start`: the window lasts until the next day; with equal times, all day.
    pub end: NaiveTime,
    /// Whose clocks.
    pub zone: Tz,
}

/// Minutes between the first moment at which a window of a day may open anywhere, and the last at which it may close.
const MINUTES_OF_DAY_ANYWHERE: i64 = 4 * 24 * 60;

impl Window {
    /// The day whose window is open at that moment.
    #[must_use]
    pub fn day(&self, at: Instant) -> Option<NaiveDate> {
        let (date, time) = (wall::date(self.zone, at), wall::time(self.zone, at));
        if self.start < self.end {
            return (self.start <= time && time < self.end).then_some(date);
        }
        match () {
            () if time >= self.start => Some(date),
            () if time < self.end => date.pred_opt(),
            () => None,
        }
    }

    /// The first minute after that moment in which the window is open: every minute is looked at, so that no change of the
    /// clocks is passed over.
    #[must_use]
    pub fn opens_after(&self, at: Instant) -> Option<Instant> {
        let from = at.duration_trunc(TimeDelta::minutes(1)).ok()?;
        minutes(from).skip(1).find(|at| self.day(*at).is_some())
    }

    /// The moment of that day from which on a bot posts: the same whoever asks, another one for another bot and day, every
    /// one as likely as any other. It is one of the bot's slots in the window if there are any.
    #[must_use]
    pub fn choose(
        &self,
        bot: &BotName,
        day: NaiveDate,
        slots: Option<&dyn Schedule>,
    ) -> Option<Instant> {
        let open = self.pieces(day);
        let number = hash(bot, day);
        let slot = slots.and_then(|slots| chosen_slot(&open, slots, number));
        slot.or_else(|| chosen_second(&open, number))
    }

    /// When the window of that day is open: once, unless the clocks change in it.
    fn pieces(&self, day: NaiveDate) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let Some(before) = day.pred_opt() else {
            return pieces;
        };
        let from = before.and_time(NaiveTime::MIN).and_utc();
        for minute in minutes(from).filter(|minute| self.day(*minute) == Some(day)) {
            let end = minute + TimeDelta::minutes(1);
            match pieces.last_mut() {
                Some(last) if last.end == minute => last.end = end,
                _ => pieces.push(Piece { start: minute, end }),
            }
        }
        pieces
    }
}

/// A stretch of time, without its end.
#[derive(Clone, Copy)]
struct Piece {
    start: Instant,
    end: Instant,
}

impl Piece {
    /// Its last microsecond: slots are not finer.
    fn last(self) -> Instant {
        self.end - TimeDelta::microseconds(1)
    }

    fn seconds(self) -> u64 {
        u64::try_from((self.end - self.start).num_seconds()).unwrap_or(0)
    }
}

fn minutes(from: Instant) -> impl Iterator<Item = Instant> {
    (0..MINUTES_OF_DAY_ANYWHERE).filter_map(move |n| from.checked_add_signed(TimeDelta::minutes(n)))
}

/// Equal on every replica and in every version.
fn hash(bot: &BotName, day: NaiveDate) -> u64 {
    let digest = Sha256::digest(format!("window\n{bot}\n{day}"));
    let first = digest.iter().take(8);
    first.fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// A number below `n`, each as likely as any other.
fn below(number: u64, n: u64) -> u64 {
    u64::try_from((u128::from(number) * u128::from(n)) >> 64).unwrap_or(0)
}

fn chosen_slot(open: &[Piece], slots: &dyn Schedule, number: u64) -> Option<Instant> {
    let counts: Vec<u64> = open
        .iter()
        .map(|piece| slots.count(piece.start, piece.last()))
        .collect();
    let mut left = below(number, counts.iter().sum());
    for (piece, count) in open.iter().zip(counts) {
        if left < count {
            return nth(slots, *piece, left + 1);
        }
        left -= count;
    }
    None
}

/// The slot of that number, from 1, in a piece that has so many: counting is cheap, whatever the number.
fn nth(slots: &dyn Schedule, piece: Piece, number: u64) -> Option<Instant> {
    let (mut low, mut high) = (0, (piece.last() - piece.start).num_microseconds()?);
    while low < high {
        let middle = low + (high - low) / 2;
        let until = piece.start + TimeDelta::microseconds(middle);
        if slots.count(piece.start, until) >= number {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    slots.latest(piece.start, piece.start + TimeDelta::microseconds(high))
}

fn chosen_second(open: &[Piece], number: u64) -> Option<Instant> {
    let mut left = below(number, open.iter().map(|piece| piece.seconds()).sum());
    for piece in open {
        if left < piece.seconds() {
            return piece
                .start
                .checked_add_signed(TimeDelta::try_seconds(i64::try_from(left).ok()?)?);
        }
        left -= piece.seconds();
    }
    None
}

#[cfg(test)]
mod tests;
