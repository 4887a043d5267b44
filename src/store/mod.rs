//! Where state, ledger and posts are kept: one trait in domain terms, two backends behind it.
//!
//! The store decides nothing. Callers plan with the domain's rules and send [`Write`]s that say what they saw; a write
//! whose premise no longer holds changes nothing and says so ([`Written::Stale`], [`Written::Lost`]).
//! A row of the ledger belongs to the process that claimed it: once another one has taken it over, whatever the first
//! still sends about it is [`Written::Lost`]. Work that was done is never taken back: a claim whose earlier attempt had
//! started (`attempt` above 1) is closed as `abandoned` where a fresh one would be released, declined or removed.
//! A transaction is never open around bot work.

mod alerts;
mod beside;
mod error;
mod facts;
mod feed;
mod imports;
mod keys;
mod open;
mod outbox;
mod pages;
pub mod postgres;
mod records;
mod schema_commands;
pub mod sqlite;
pub mod url;
mod walk;
mod write;

use std::collections::HashMap;

use async_trait::async_trait;

pub use self::{
    alerts::{AlertStore, DeliveryMark, IncidentChange, NewDelivery},
    beside::{Missing, open_beside},
    error::StoreError,
    imports::{Batches, KnowledgeStore},
    open::open,
    outbox::PostStore,
    records::{Beat, LiveRow, Replica, Rescued, SchemaStep},
    schema_commands::{migrate_down, migrate_up, migration_status, states_beside},
    url::DatabaseUrl,
    write::{Advance, Finish, NewPost, PostMark, Start, Write, Written},
};
pub use crate::domain::ledger::LedgerRow;
use crate::domain::{
    Instant,
    audit::{AuditEntry, AuditQuery, AuditRow},
    bot::BotName,
    breaker::{Breaker, StoredBreaker},
    content::{
        ContentItem, ContentQuery, FeedLook, FeedState, PostTally, PostedText, Selection,
        StoredItem, TableSummary,
    },
    fact::Fact,
    ledger::LedgerQuery,
    post::{Post, PostStatus},
    replica::ReplicaRow,
    run::{ExecutionId, ReplicaId},
    state::BotState,
};

/// So many posts of one destination are read at once, at most: an outage may leave any number of them.
pub const MOST_UNSENT: i64 = 50;

/// So many of the newest posts a store looks at that has no better way to find one.
const LOOKED_AT: i64 = 10_000;

/// What the actors need of a store.
///
/// Names and meaning of the tables are in the contract with operators (`docs/tables.md`). A slot that did not run has
/// neither `started_at` nor `completed_at`, no `replica`, and no `success`; its row says `slot_last` even if it stands
/// for one slot, and the row of a run never does.
#[async_trait]
pub trait StatePersistence: PostStore + Send + Sync + 'static {
    /// Carries out all writes in one transaction, in order, and answers each.
    ///
    /// # Errors
    /// Nothing has been written then. [`StoreError::is_transient`] says whether the same batch may succeed later.
    async fn write(&self, me: &ReplicaId, batch: &[Write]) -> Result<Vec<Written>, StoreError>;

    /// What committed transactions of this process have made true since this was asked last, in their order: every end of a
    /// run, every slot that stands in the ledger and did not run, and every hold that was set, replaced by one of another
    /// kind, or ended. Whoever asks takes them away. The newest 100,000 are kept for one who never asks, until the process
    /// ends: a process that dies takes along what nobody asked for.
    ///
    /// What a commit did that was not answered is told when its batch comes again, or at the next [`Self::rescue`].
    fn facts(&self) -> Vec<Fact>;

    /// How many posts are stored and neither sent nor given up, of all processes.
    async fn outbox(&self) -> Result<u64, StoreError>;

    /// The number of the newest step of the schema that the database has.
    async fn schema_version(&self) -> Result<i64, StoreError>;

    /// All stored bots, removed ones included.
    async fn states(&self) -> Result<Vec<BotState>, StoreError>;

    /// The bots (not removed) whose next slot is at or before `until`, the earliest slot first: how a process notices
    /// what others gave back, held and resumed.
    async fn due(&self, until: Instant) -> Result<Vec<BotState>, StoreError>;

    /// The rows with status `running` that `owner` holds: claims that wait, and runs at work.
    async fn live(&self, owner: &ReplicaId) -> Result<Vec<LiveRow>, StoreError>;

    /// Posts that are stored and not known to have arrived, whose runs have ended and which are this process's to send,
    /// in the order of their turns, of each destination at most [`MOST_UNSENT`]. The posts of a run at work are sent by
    /// the run.
    ///
    /// On PostgreSQL they belong to the process that ran them as long as its lease is good, and then to the oldest one
    /// with a good lease; a process asks for its own after its first beat.
    async fn unsent_posts(&self) -> Result<Vec<Post>, StoreError>;

    /// Says that this process is alive, registering it at the first beat; answers with the store's clock.
    async fn beat(&self, me: &Replica) -> Result<Beat, StoreError>;

    /// Signs this process off.
    async fn sign_off(&self, me: &ReplicaId) -> Result<(), StoreError>;

    /// Deals with what dead processes left `running`, in one transaction: claims that never started are released,
    /// started runs become `abandoned` at `now`, or are claimed for `me` with the next attempt if their bot is in `again`
    /// and that attempt's number is not above what it says there: what kills its process is not run for ever.
    /// A row that is claimed so waits for its start anew; `metadata.interrupted` lists the attempts that were cut off.
    /// A manual or event claim that never started is claimed for `me` as it is (`metadata.rescued_from` says whose it was)
    /// if it is not older than 15 minutes and its bot is not removed; else it becomes `abandoned`.
    ///
    /// On SQLite every other process is dead (the lock file makes this one the owner). On PostgreSQL a process is dead
    /// when its lease has run out by the database's clock, and neither the database itself nor this process's own
    /// heartbeat is younger than one lease.
    async fn rescue(
        &self,
        me: &ReplicaId,
        again: &HashMap<BotName, u32>,
        now: Instant,
    ) -> Result<Vec<Rescued>, StoreError>;

    /// Ledger rows, newest first: in the order of being recorded, so that a range stands where it began.
    async fn ledger(&self, bot: Option<&BotName>, limit: i64)
    -> Result<Vec<LedgerRow>, StoreError>;

    /// Posts, newest first.
    async fn posts(&self, bot: Option<&BotName>, limit: i64) -> Result<Vec<Post>, StoreError>;

    /// Rows of the ledger that match, newest first. A range of slots is in a window of time if any of it is.
    async fn executions(&self, query: &LedgerQuery) -> Result<Vec<LedgerRow>, StoreError>;

    /// One row of the ledger.
    async fn execution(&self, id: ExecutionId) -> Result<Option<LedgerRow>, StoreError>;

    /// The posts of these runs, in the order of run and position.
    async fn posts_of(&self, executions: &[ExecutionId]) -> Result<Vec<Post>, StoreError>;

    /// The stored state of one bot.
    async fn state(&self, bot: &BotName) -> Result<Option<BotState>, StoreError>;

    /// The bots whose state was written at or after `since`, by name: how a process notices what others changed. On
    /// PostgreSQL a write may be seen some seconds after its own time: `since` should lie a little before the last look.
    async fn changed(&self, since: Instant) -> Result<Vec<BotState>, StoreError>;

    /// Stores who did what, in one transaction.
    async fn record(&self, entries: &[AuditEntry]) -> Result<(), StoreError>;

    /// Who did what, newest first.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError>;

    /// The processes that beat within the last day, oldest first. On SQLite only those are alive that beat through this
    /// store: nobody else can have the file.
    async fn replicas(&self) -> Result<Vec<ReplicaRow>, StoreError>;

    /// Items of a knowledge table, newest first.
    async fn content(&self, query: &ContentQuery) -> Result<Vec<StoredItem>, StoreError>;

    /// Adds items to a knowledge table in one transaction; one with a known key takes the place of the stored one, whose
    /// row and `created_at` it keeps. A key of more than 200 bytes is kept as its hash.
    /// Answers the rows, in the order of `items`.
    async fn add_content(
        &self,
        table: &str,
        items: &[ContentItem],
        now: Instant,
    ) -> Result<Vec<i64>, StoreError>;

    /// Removes one item of a knowledge table, or all. Answers how many there were.
    async fn remove_content(&self, table: &str, id: Option<i64>) -> Result<u64, StoreError>;

    /// What a bot may choose from: of each table up to `limit` items of the highest priority (of equal ones the oldest first)
    /// and up to `limit` of the newest, each once. None that is not to be posted at `now`, none in `skip`, and none that a
    /// post of the bot was made of, but for a post of this very execution. Takes time in proportion to `limit`, not to the
    /// table.
    async fn candidates(&self, _wish: &Selection) -> Result<Vec<StoredItem>, StoreError> {
        Err(StoreError::keeps_no("knowledge"))
    }

    /// The knowledge tables, by name.
    async fn content_tables(&self, _now: Instant) -> Result<Vec<TableSummary>, StoreError> {
        Err(StoreError::keeps_no("knowledge"))
    }

    /// What this bot has posted since then, or has stored to be posted, newest first, at most `limit`; without what
    /// `but_not` has posted itself. A post that was refused for good counts for nothing.
    async fn posted_texts(
        &self,
        _bot: &BotName,
        _since: Instant,
        _but_not: ExecutionId,
        _limit: u32,
    ) -> Result<Vec<PostedText>, StoreError> {
        Err(StoreError::keeps_no("posts"))
    }

    /// How much this bot has posted, or has stored to be posted; without what `but_not` has posted itself, and what was
    /// refused for good. A post counts from when it was sent, or else stored.
    async fn post_tally(
        &self,
        _bot: &BotName,
        _since: Instant,
        _but_not: ExecutionId,
    ) -> Result<PostTally, StoreError> {
        Err(StoreError::keeps_no("posts"))
    }

    /// What is remembered of a feed that fills a table.
    async fn feed(&self, _table: &str, _url: &str) -> Result<Option<FeedState>, StoreError> {
        Err(StoreError::keeps_no("feeds"))
    }

    /// Takes in what a look at a feed has brought, in one transaction. Answers how many items are new.
    async fn take_feed(&self, _look: &FeedLook) -> Result<u64, StoreError> {
        Err(StoreError::keeps_no("feeds"))
    }

    /// The posts to one destination that are `pending` and have their turn before `turn` (all, without one), whoever's
    /// they are, in the order of their turns, at most [`MOST_UNSENT`]: what has to go first.
    async fn unsent_before(
        &self,
        platform: &str,
        destination: &str,
        turn: Option<i64>,
    ) -> Result<Vec<Post>, StoreError> {
        let goes_first = |post: &Post| {
            post.status == PostStatus::Pending
                && (post.platform.as_str(), post.destination.as_str()) == (platform, destination)
                && turn.is_none_or(|turn| post.turn < turn)
        };
        let mut posts = self.posts(None, LOOKED_AT).await?;
        posts.retain(goes_first);
        posts.sort_by_key(|post| post.turn);
        posts.truncate(usize::try_from(MOST_UNSENT).unwrap_or(usize::MAX));
        Ok(posts)
    }

    /// The circuit breakers that were ever stored, by name.
    async fn breakers(&self) -> Result<Vec<StoredBreaker>, StoreError>;

    /// Stores a breaker in the place of what is stored, whoever stored it: the last one wins. Answers its new revision.
    async fn keep_breaker(
        &self,
        dependency: &str,
        breaker: Breaker,
        credential: Option<&str>,
        now: Instant,
    ) -> Result<i64, StoreError>;

    /// Where incidents and the notices about them are kept; `None` if they are not.
    fn alerts(&self) -> Option<&dyn AlertStore> {
        None
    }

    /// Whole knowledge tables, in and out; `None` if they are not kept.
    fn knowledge(&self) -> Option<&dyn KnowledgeStore> {
        None
    }

    /// Deletes ledger rows and posts that ended before `before`, posts also not before `posts_before`, and what was done
    /// before `before` from the record of who did what. Answers how many.
    /// A slot that did not run ended at its time (a range at its last), a post when it was sent or else stored; what is
    /// `running` or `pending` stays whatever its age.
    async fn prune(&self, before: Instant, posts_before: Instant) -> Result<u64, StoreError>;

    /// Whether the store answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Closes connections; nothing may be written after it.
    async fn close(&self);

    /// The random id that was drawn when the database was made.
    fn database_id(&self) -> &str;

    /// Whether other processes may use the database at the same time.
    fn is_shared(&self) -> bool;
}
