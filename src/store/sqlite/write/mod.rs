//! What each [`Write`] does, inside the transaction of its batch.
//!
//! A write whose premise no longer holds says so and changes nothing; an error takes the whole batch back.

mod advance;
mod cancel;
mod claims;
mod ends;
mod finish;
mod gaps;
mod holds;
mod insert;
mod posts;
mod register;
pub(super) mod rescue;
mod start;

use diesel::SqliteConnection;

use super::fault::Fault;
use crate::{
    domain::{Instant, fact::Fact, run::ReplicaId},
    store::{Write, Written},
};

/// One transaction.
pub(super) struct Tx<'a> {
    /// Where it goes on.
    pub(super) conn: &'a mut SqliteConnection,
    /// This process.
    pub(super) me: &'a ReplicaId,
    /// When it is.
    pub(super) now: Instant,
    /// What it makes true, if it is committed.
    pub(super) facts: Vec<Fact>,
}

/// Carries out one write.
pub(super) fn apply(tx: &mut Tx<'_>, write: &Write) -> Result<Written, Fault> {
    match write {
        Write::Register {
            expected,
            state,
            gaps,
            at,
        } => register::register(tx, expected.as_deref(), state, gaps, *at),
        Write::Advance(advance) => advance::advance(tx, advance),
        Write::Start(start) => start::start(tx, start),
        Write::Attempt {
            execution,
            attempt,
            metadata,
        } => start::attempt(tx, *execution, *attempt, metadata),
        Write::Decline { execution, gap } => ends::decline(tx, *execution, *gap),
        Write::Release { execution } => ends::release(tx, *execution),
        Write::Finish(finish) => finish::finish(tx, finish),
        Write::Insert {
            bot,
            trigger,
            metadata,
            key,
        } => insert::insert(tx, bot, *trigger, metadata, key.as_deref()),
        Write::RequestCancel { bot, execution } => cancel::request(tx, bot, *execution),
        Write::StorePost(post) => posts::store(tx, post),
        Write::MarkPost(mark) => posts::mark(tx, mark),
        Write::SetHold { bot, hold, replace } => holds::set(tx, bot, hold, *replace),
        Write::ClearHold { bot, kind } => holds::clear(tx, bot, *kind),
    }
}
