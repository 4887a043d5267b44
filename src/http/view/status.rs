//! How a bot has been doing lately.

use serde::Serialize;
use utoipa::ToSchema;

use super::{actor::next_run, time::Time};
use crate::actors::messages::BotCard;

/// So many runs are looked at.
pub const RECENT: u32 = 5;

/// A bot, in a few numbers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActorStatus {
    /// The bot's name.
    #[schema(example = "daily_poster")]
    pub actor: String,
    /// Whether there is a hold.
    pub is_paused: bool,
    /// Failed runs in a row.
    pub consecutive_failures: u32,
    /// Start of the last run.
    pub last_run: Option<Time>,
    /// The next slot; null when the bot is finished.
    pub next_run: Option<Time>,
    /// How many of the last five runs there are.
    #[schema(maximum = 5)]
    pub recent_executions: usize,
    /// How many of those that have ended succeeded, in percent; `0.0%` when none has ended.
    #[schema(example = "80.0%")]
    pub recent_success_rate: String,
}

impl ActorStatus {
    /// From the bot and the `success` of its recent runs.
    #[must_use]
    pub fn of(card: &BotCard, recent: impl Iterator<Item = Option<bool>>) -> Self {
        let recent: Vec<Option<bool>> = recent.collect();
        Self {
            actor: card.bot.name.to_string(),
            is_paused: card.state.hold.is_some(),
            consecutive_failures: card.state.consecutive_failures,
            last_run: card.state.last_run.map(Time),
            next_run: next_run(card),
            recent_executions: recent.len(),
            recent_success_rate: rate(&recent),
        }
    }
}

fn rate(recent: &[Option<bool>]) -> String {
    let ended: Vec<bool> = recent.iter().copied().flatten().collect();
    let succeeded = ended.iter().filter(|success| **success).count();
    format!(
        "{:.1}%",
        100.0 * succeeded as f64 / ended.len().max(1) as f64
    )
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn the_rate_counts_what_has_ended() {
        assert_eq!(rate(&[]), "0.0%");
        assert_eq!(rate(&[None]), "0.0%");
        assert_eq!(rate(&[None, Some(true)]), "100.0%");
        assert_eq!(rate(&[Some(true), Some(true), Some(false)]), "66.7%");
        let five = [Some(true), Some(true), Some(false), Some(true), Some(true)];
        assert_eq!(rate(&five), "80.0%");
    }
}
