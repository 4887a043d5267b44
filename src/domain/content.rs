//! Knowledge items: what bots choose from.

use serde_json::Value;

use super::{Instant, bot::BotName, run::ExecutionId};

/// One item of a knowledge table, as an operator gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct ContentItem {
    /// What it is known by within its table: a second item with the same key takes the place of the first. Without one the
    /// body decides.
    pub key: Option<String>,
    /// For people.
    pub title: Option<String>,
    /// The text.
    pub body: String,
    /// Where it comes from.
    pub source: Option<String>,
    /// Words to choose by.
    pub tags: Vec<String>,
    /// 0 to 1; the higher the sooner (0.5).
    pub priority: f64,
    /// Not to be posted before.
    pub not_before: Option<Instant>,
    /// Not to be posted from then on.
    pub expires_at: Option<Instant>,
    /// URLs of images and the like.
    pub media: Vec<String>,
    /// Whatever else templates want.
    pub metadata: Value,
}

/// An item as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredItem {
    /// The row.
    pub id: i64,
    /// Its table.
    pub table: String,
    /// What it says; the key is set.
    pub item: ContentItem,
    /// When it was stored first.
    pub created_at: Instant,
}

/// Which items of a table, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentQuery {
    /// The table.
    pub table: String,
    /// Only items older than this one.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// What a bot looks for when it chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Who chooses: what it has used already is no candidate.
    pub bot: BotName,
    /// The run that chooses: what it has used itself, in an earlier attempt, is a candidate still, and the first one.
    pub execution: ExecutionId,
    /// The knowledge tables.
    pub tables: Vec<String>,
    /// Items that are not to be posted at this time are no candidates.
    pub now: Instant,
    /// So many of each table by priority, and so many by age.
    pub limit: u32,
    /// These have been looked at.
    pub skip: Vec<i64>,
}

/// The item that a post is made of: stored with the post, it is used by the bot, once and for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemUse {
    /// The row in the knowledge table.
    pub id: i64,
    /// The item's own text, for comparison with later ones.
    pub text: String,
}

/// A text that a bot has posted, or is about to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedText {
    /// What the post says.
    pub body: String,
    /// What the item says of which it was made, if it was made of one.
    pub item: Option<String>,
}

/// How much a bot has posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PostTally {
    /// Posts since the asked moment.
    pub since: u32,
    /// When the newest one of all was posted.
    pub newest: Option<Instant>,
}

/// A knowledge table at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSummary {
    /// Its name.
    pub table: String,
    /// Items in it.
    pub items: u64,
    /// Of these: not to be posted yet.
    pub waiting: u64,
    /// Of these: not to be posted any more.
    pub expired: u64,
    /// When the newest was stored first.
    pub newest: Option<Instant>,
}

/// What became of items that were imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Items that were read.
    pub items: u64,
    /// New rows.
    pub added: u64,
    /// Rows that were there, with the same keys.
    pub replaced: u64,
    /// Items whose key came again later among them: the last one counts.
    pub repeated: u64,
}

/// What is remembered of a feed between two looks, for conditional requests (RFC 9110, section 13).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedState {
    /// `ETag` of the last answer.
    pub etag: Option<String>,
    /// `Last-Modified` of the last answer, as it was written.
    pub last_modified: Option<String>,
    /// When it was read last.
    pub read_at: Option<Instant>,
}

/// What a look at a feed has brought.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedLook {
    /// The knowledge table that it fills.
    pub table: String,
    /// The feed.
    pub url: String,
    /// What to remember.
    pub state: FeedState,
    /// Its entries, with their ids as keys. One that this table was ever given before is not added again, even if it has been
    /// removed since; one that is there still is brought up to date.
    pub items: Vec<ContentItem>,
    /// Now.
    pub at: Instant,
}
