//! Which item of a knowledge table goes first: the more important and the fresher.

use super::{Instant, content::StoredItem};

/// After so many days an item is half as fresh.
pub const HALF_FRESH_DAYS: f64 = 7.0;

const MS_PER_DAY: f64 = 86_400_000.0;

/// What counts for how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Of the item's priority, 0 to 1.
    pub priority: f64,
    /// Of its freshness, 0 to 1.
    pub freshness: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            priority: 0.7,
            freshness: 0.3,
        }
    }
}

impl Weights {
    /// Weighted sum of priority and freshness; the higher the sooner.
    #[must_use]
    pub fn score(&self, item: &StoredItem, now: Instant) -> f64 {
        self.priority * item.item.priority + self.freshness * freshness(item.created_at, now)
    }

    /// The best first; of equal ones the older, then the one with the lower row.
    #[must_use]
    pub fn rank(&self, items: Vec<StoredItem>, now: Instant) -> Vec<StoredItem> {
        let mut scored: Vec<(f64, StoredItem)> = items
            .into_iter()
            .map(|item| (self.score(&item, now), item))
            .collect();
        scored.sort_by(|(a, one), (b, other)| {
            let age = (one.created_at, one.id).cmp(&(other.created_at, other.id));
            b.total_cmp(a).then(age)
        });
        scored.into_iter().map(|(_, item)| item).collect()
    }
}

/// 1 for an item that has just been stored, ½ after a week, ¼ after two, and so on.
#[must_use]
pub fn freshness(created_at: Instant, now: Instant) -> f64 {
    let ms = (now - created_at).num_milliseconds().max(0);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a millisecond in centuries is no matter"
    )]
    let days = ms as f64 / MS_PER_DAY;
    0.5_f64.powf(days / HALF_FRESH_DAYS)
}
