//! How many series there may be. Every one of them is a line of each answer, and memory in every Prometheus.
//!
//! Counters go before gauges of states: a counter that comes and goes is worth nothing. Their labels are bounded where they
//! are made, so that the bound of the whole answer is for what nobody has thought of.

use super::text::Written;

/// Series of one answer.
pub const MOST_SERIES: usize = 10_000;

/// Bots whose state is shown.
pub const MOST_BOTS: usize = 1_000;

/// Gauges that each of those has: paused, failures in a row, last success, next run.
pub(super) const STATES: usize = 4;

/// What one label value of bots can have: three kinds of runs, trips, three of skills, eight of slots, a histogram of eight
/// buckets with sum and count.
const OF_ONE_LABEL: usize = 3 + 1 + 3 + 8 + 10;

/// Kept for families that do not grow with the bots.
const OTHERS: usize = 800;

/// How many bots of so many can have labels of their own, beside the one that all others share.
pub(super) fn labels_for(bots: usize) -> usize {
    let states = bots.min(MOST_BOTS) * STATES;
    (MOST_SERIES - OTHERS - states) / OF_ONE_LABEL - 1
}

/// As many families as the bound allows, the smallest first.
pub(super) fn within(mut families: Vec<Written>) -> Vec<Written> {
    families.sort_by_key(|family| family.series);
    let mut left = MOST_SERIES;
    families.retain(|family| match left.checked_sub(family.series) {
        Some(rest) => {
            left = rest;
            true
        }
        None => {
            tracing::warn!(
                family = family.name,
                "a family of metrics has too many series to be shown"
            );
            false
        }
    });
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_labels_fit_whatever_the_number_of_bots() {
        for bots in [0, 1, 200, 1_000, 10_000] {
            let labels = labels_for(bots);
            assert!(labels >= 200, "{bots} bots: {labels}");
            let all = (labels + 1) * OF_ONE_LABEL + bots.min(MOST_BOTS) * STATES;
            assert!(all <= MOST_SERIES - OTHERS, "{bots} bots: {all}");
        }
    }

    #[test]
    fn what_nobody_has_thought_of_does_not_pass_the_bound() {
        let family = |name: &str, series| Written {
            name: name.into(),
            text: String::new(),
            series,
        };
        let kept = within(vec![
            family("huge", 9_500),
            family("a", 400),
            family("b", 300),
        ]);
        let kept: Vec<&str> = kept.iter().map(|family| family.name.as_str()).collect();
        assert_eq!(kept, ["b", "a"]);
    }
}
