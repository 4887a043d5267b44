//! One message that a run hands to a platform, and what became of it.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Instant, bot::BotName, run::ExecutionId};

/// `status` of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PostStatus {
    /// Stored, and not known to have arrived.
    Pending,
    /// The platform has it.
    Sent,
    /// Refused by the platform for good.
    Failed,
    /// All attempts are spent.
    Dead,
}

impl PostStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Sent, Self::Failed, Self::Dead];

    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Sent, Self::Failed, Self::Dead]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// What a skill wants posted.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The text; may be empty when an embed carries the content.
    pub body: String,
    /// The platform's further fields (`embeds`, `allowed_mentions`, …); `{}` when there are none.
    pub options: Value,
}

/// A stored post.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    /// The row.
    pub id: i64,
    /// The run that made it.
    pub execution: ExecutionId,
    /// The bot that made it.
    pub bot: BotName,
    /// Which message of the run, from 0.
    pub position: i32,
    /// Such as `discord` or `console`.
    pub platform: String,
    /// A channel id; `stdout` for the console.
    pub destination: String,
    /// What is sent.
    pub message: Message,
    /// What the platform recognises a repetition by.
    pub nonce: String,
    /// What became of it.
    pub status: PostStatus,
    /// Attempts made so far.
    pub attempts: u32,
    /// The platform's own id.
    pub platform_message_id: Option<String>,
    /// The last attempt's error.
    pub error: Option<String>,
    /// When it was stored.
    pub created_at: Instant,
    /// When it was sent.
    pub posted_at: Option<Instant>,
    /// Its place in the line of its destination: its id, or for one that was resent by hand a later number.
    pub turn: i64,
}

/// The platform that writes to the process's own output: each process has one of its own.
pub const CONSOLE: &str = "console";

/// Which posts, newest first (by `id`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostQuery {
    /// Of this bot.
    pub bot: Option<BotName>,
    /// With this status.
    pub status: Option<PostStatus>,
    /// Only posts that are older than this one: where the last page ended.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// The nonce of the post `position` of a run: 24 characters, because Discord takes at most 25.
///
/// It depends on the database's random id, so that two servers never collide in one channel, and on the bot and its
/// slot (or, for manual and event runs, the execution), so that a slot that is run again makes the same nonce.
#[must_use]
pub fn nonce(
    database_id: &str,
    bot: &BotName,
    slot: Option<Instant>,
    execution: ExecutionId,
    position: i32,
) -> String {
    let run = match slot {
        Some(slot) => format!("slot {}", slot.timestamp_micros()),
        None => format!("execution {execution}"),
    };
    let digest = Sha256::digest(format!("{database_id}\n{bot}\n{run}\n{position}"));
    digest
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn a_slot_that_is_run_again_makes_the_same_nonce_and_any_other_key_another() {
        let (bot, other) = (BotName::parse("a").unwrap(), BotName::parse("b").unwrap());
        let slot = DateTime::from_timestamp(1_790_000_000, 0);
        let of = |bot: &BotName, slot, execution, position| {
            nonce("db", bot, slot, ExecutionId(execution), position)
        };
        let first = of(&bot, slot, 1, 0);
        assert_eq!(first.len(), 24);
        assert_eq!(first, of(&bot, slot, 2, 0));
        for different in [
            of(&other, slot, 1, 0),
            of(&bot, None, 1, 0),
            of(&bot, None, 2, 0),
            of(&bot, slot, 1, 1),
        ] {
            assert_ne!(first, different);
        }
    }
}
