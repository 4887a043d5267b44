//! The stable delay of a slot.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::domain::{Instant, bot::BotName};

/// The stable delay of one slot, in whole milliseconds: spread evenly below `longest`, and below the distance to the
/// next slot, so that delayed slots keep their order. Equal on every replica and in every version, because it is
/// a function of the bot's name and the slot alone (SHA-256).
#[must_use]
pub fn jitter(bot: &BotName, slot: Instant, next: Option<Instant>, longest: Duration) -> Duration {
    let room = next.map_or(longest, |next| {
        longest.min((next - slot).to_std().unwrap_or_default())
    });
    let room = room.as_millis().min(u128::from(u64::MAX));
    let delay = (u128::from(hash(bot, slot)) * room) >> 64;
    Duration::from_millis(u64::try_from(delay).unwrap_or(0))
}

fn hash(bot: &BotName, slot: Instant) -> u64 {
    let mut hash = Sha256::new();
    hash.update(bot.as_str());
    hash.update([0]);
    hash.update(slot.timestamp_micros().to_be_bytes());
    hash.finalize()
        .iter()
        .take(8)
        .fold(0, |number, byte| (number << 8) | u64::from(*byte))
}
