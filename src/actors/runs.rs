//! Which claims are in the hands of the bots' actors of this process.
//!
//! An entry goes when its actor settles it, which it does only after it has queued the claim's end. What a dead actor
//! did not settle stays until the coordinator evicts it, and queues its end in the actor's stead. What the ledger calls
//! this process's and this register does not know is nobody's. What is at work stands on the [`Board`], too.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::{Notify, OwnedSemaphorePermit, watch};

use super::board::Board;
use crate::domain::{Instant, bot::BotName, run::ExecutionId};

/// So many runs may be at work without a place because they wait for their turn to post: each has a thread.
const MOST_WITHOUT_PLACE: usize = 256;

/// The register; clones share it.
#[derive(Clone, Default)]
pub struct Runs(Arc<Shared>);

#[derive(Default)]
struct Shared {
    entries: Mutex<Entries>,
    /// Rung at every end, for whoever waits for a free place.
    ended: Notify,
    /// Shows what is at work.
    board: Board,
    /// Claims that no actor has, because there was no place when somebody looked last.
    without_place: AtomicUsize,
}

#[derive(Default)]
struct Entries {
    by_execution: HashMap<ExecutionId, Entry>,
    by_bot: HashMap<BotName, usize>,
    /// Rows that bots' actors have asked the store for.
    expected: HashMap<BotName, usize>,
    /// Counts entries, so that a ticket of an actor that was given up touches none but its own.
    entered: u64,
}

impl Entries {
    fn without_place(&self) -> usize {
        let runs = self.by_execution.values().flat_map(|entry| &entry.run);
        runs.filter(|run| run.place.is_none()).count()
    }
}

struct Entry {
    number: u64,
    bot: BotName,
    run: Option<AtWork>,
}

/// A run at work. It is kept here and not in its actor, so that an actor that hangs keeps neither the place nor the work.
pub struct AtWork {
    /// When it started.
    pub started_at: Instant,
    /// Which attempt is at work.
    pub attempt: u32,
    /// Its place, if it has one.
    pub place: Option<OwnedSemaphorePermit>,
    /// Ends it early; dropping it does, too.
    pub stop: watch::Sender<Option<StopReason>>,
}

/// Why a run is ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// By an operator, or by the bot's next slot.
    Cancelled,
    /// The process stops, and the grace period is over.
    Abandoned,
}

/// A claim that its actor did not settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evicted {
    /// The claim.
    pub execution: ExecutionId,
    /// When its run started, and in which attempt it is; `None` if it had not.
    pub started: Option<(Instant, u32)>,
}

impl Runs {
    /// An empty register that shows on this board what is at work.
    #[must_use]
    pub fn on(board: Board) -> Self {
        Self(Arc::new(Shared {
            board,
            ..Shared::default()
        }))
    }

    /// Enters a claim. `None` if it is entered already.
    #[must_use]
    pub fn enter(&self, execution: ExecutionId, bot: &BotName) -> Option<Ticket> {
        let mut entries = self.entries();
        if entries.by_execution.contains_key(&execution) {
            return None;
        }
        entries.entered += 1;
        let number = entries.entered;
        let entry = Entry {
            number,
            bot: bot.clone(),
            run: None,
        };
        entries.by_execution.insert(execution, entry);
        *entries.by_bot.entry(bot.clone()).or_default() += 1;
        Some(Ticket {
            runs: self.clone(),
            execution,
            number,
        })
    }

    /// The bot's actor asks the store for a row that no slot made: it is this process's before it is entered.
    pub fn expect(&self, bot: &BotName) -> Expected {
        *self.entries().expected.entry(bot.clone()).or_default() += 1;
        Expected {
            runs: self.clone(),
            bot: bot.clone(),
        }
    }

    /// Whether the bot's actor is about to enter a row.
    #[must_use]
    pub fn expects(&self, bot: &BotName) -> bool {
        self.entries().expected.contains_key(bot)
    }

    /// Takes off all claims of a bot, because its actor is dead.
    #[must_use]
    pub fn evict(&self, bot: &BotName) -> Vec<Evicted> {
        let mut entries = self.entries();
        let all = entries
            .by_execution
            .extract_if(|_, entry| entry.bot == *bot);
        let evicted = all.map(|(execution, entry)| Evicted {
            execution,
            started: entry.run.map(|run| (run.started_at, run.attempt)),
        });
        let evicted: Vec<Evicted> = evicted.collect();
        for one in &evicted {
            self.0.board.ended(bot, one.execution);
        }
        entries.by_bot.remove(bot);
        self.0.ended.notify_one();
        evicted
    }

    /// Tells a run to end; answers whether it was at work.
    pub fn stop(&self, execution: ExecutionId, reason: StopReason) -> bool {
        let entries = self.entries();
        let run = entries
            .by_execution
            .get(&execution)
            .and_then(|entry| entry.run.as_ref());
        run.is_some_and(|run| run.stop.send(Some(reason)).is_ok())
    }

    /// A run goes on with another attempt.
    pub fn goes_on(&self, execution: ExecutionId, attempt: u32) {
        let mut entries = self.entries();
        let entry = entries.by_execution.get_mut(&execution);
        if let Some(run) = entry.and_then(|entry| entry.run.as_mut()) {
            run.attempt = attempt;
        }
    }

    /// A run that waits for its turn to post gives its place to others; it needs none to go on.
    pub fn lets_others(&self, execution: ExecutionId) {
        let mut entries = self.entries();
        if entries.without_place() >= MOST_WITHOUT_PLACE {
            return;
        }
        let entry = entries.by_execution.get_mut(&execution);
        let place = entry.and_then(|entry| entry.run.as_mut()?.place.take());
        drop(entries);
        if place.is_some() {
            drop(place);
            self.0.ended.notify_one();
        }
    }

    /// Whether this claim is entered.
    #[must_use]
    pub fn has(&self, execution: ExecutionId) -> bool {
        self.entries().by_execution.contains_key(&execution)
    }

    /// Whose claim this is, if it is entered.
    #[must_use]
    pub fn bot_of(&self, execution: ExecutionId) -> Option<BotName> {
        self.entries()
            .by_execution
            .get(&execution)
            .map(|entry| entry.bot.clone())
    }

    /// Whether a claim of this bot is entered.
    #[must_use]
    pub fn is_busy(&self, bot: &BotName) -> bool {
        self.entries().by_bot.contains_key(bot)
    }

    /// How many claims are entered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().by_execution.len()
    }

    /// How many claims are entered that have a place, or are to have one.
    #[must_use]
    pub fn in_places(&self) -> usize {
        let entries = self.entries();
        entries.by_execution.len() - entries.without_place()
    }

    /// Whether no claim is entered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many runs are at work.
    #[must_use]
    pub fn at_work(&self) -> usize {
        let entries = self.entries();
        let all = entries.by_execution.values();
        all.filter(|entry| entry.run.is_some()).count()
    }

    /// How many claims are due and have not started: in the hands of their actors, or for want of a place.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let entries = self.entries();
        let all = entries.by_execution.values();
        let in_hand = all.filter(|entry| entry.run.is_none()).count();
        in_hand + self.0.without_place.load(Ordering::Relaxed)
    }

    /// So many claims that are due have found no place.
    pub fn found_no_place(&self, claims: usize) {
        self.0.without_place.store(claims, Ordering::Relaxed);
    }

    /// Waits for the next end of a claim.
    pub async fn ended(&self) {
        self.0.ended.notified().await;
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row that is on its way from the store to its actor, until this is dropped.
#[must_use]
pub struct Expected {
    runs: Runs,
    bot: BotName,
}

impl Drop for Expected {
    fn drop(&mut self) {
        let mut entries = self.runs.entries();
        if let Some(expected) = entries.expected.get_mut(&self.bot) {
            *expected -= 1;
            if *expected == 0 {
                entries.expected.remove(&self.bot);
            }
        }
    }
}

/// A claim in the hands of an actor. Dropping it unsettled leaves the claim on the register, as a dying actor does.
#[must_use]
pub struct Ticket {
    runs: Runs,
    execution: ExecutionId,
    number: u64,
}

impl Ticket {
    /// The claim's run is at work.
    pub fn started(&self, run: AtWork) {
        let mut entries = self.runs.entries();
        let entry = entries.by_execution.get_mut(&self.execution);
        if let Some(entry) = entry.filter(|entry| entry.number == self.number) {
            let board = &self.runs.0.board;
            board.started(&entry.bot, self.execution, run.started_at);
            entry.run = Some(run);
        }
    }

    /// The claim's end is queued; gives back the place that its run had.
    pub fn settle(self) -> Option<OwnedSemaphorePermit> {
        let mut entries = self.runs.entries();
        let is_it = |entry: &Entry| entry.number == self.number;
        if !entries.by_execution.get(&self.execution).is_some_and(is_it) {
            return None;
        }
        let Entry { bot, run, .. } = entries.by_execution.remove(&self.execution)?;
        self.runs.0.board.ended(&bot, self.execution);
        let claims = entries.by_bot.get(&bot).copied().unwrap_or_default();
        if claims > 1 {
            entries.by_bot.insert(bot, claims - 1);
        } else {
            entries.by_bot.remove(&bot);
        }
        drop(entries);
        self.runs.0.ended.notify_one();
        run.and_then(|run| run.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bot() -> BotName {
        BotName::parse("bot").unwrap()
    }

    fn at_work(at: Instant) -> AtWork {
        let (stop, _) = watch::channel(None);
        AtWork {
            started_at: at,
            attempt: 2,
            place: None,
            stop,
        }
    }

    #[test]
    fn a_claim_is_entered_once_and_goes_when_it_is_settled() {
        let runs = Runs::default();
        let ticket = runs.enter(ExecutionId(1), &bot()).unwrap();
        assert!(runs.enter(ExecutionId(1), &bot()).is_none());
        assert!(runs.is_busy(&bot()) && runs.has(ExecutionId(1)));
        assert!(ticket.settle().is_none());
        assert!(!runs.is_busy(&bot()) && runs.is_empty());
    }

    #[test]
    fn a_row_is_expected_until_its_actor_lets_go() {
        let runs = Runs::default();
        let (first, second) = (runs.expect(&bot()), runs.expect(&bot()));
        drop(first);
        assert!(runs.expects(&bot()));
        drop(second);
        assert!(!runs.expects(&bot()));
    }

    #[test]
    fn what_a_dead_actor_did_not_settle_is_evicted_with_what_is_known_of_it() {
        let runs = Runs::default();
        let at = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let first = runs.enter(ExecutionId(1), &bot()).unwrap();
        first.started(at_work(at));
        drop((first, runs.enter(ExecutionId(2), &bot())));
        let mut evicted = runs.evict(&bot());
        evicted.sort_by_key(|one| one.execution);
        let expected = [(1, Some((at, 2))), (2, None)];
        let expected = expected.map(|(id, started)| Evicted {
            execution: ExecutionId(id),
            started,
        });
        assert_eq!(evicted, expected);
        assert!(!runs.is_busy(&bot()) && runs.evict(&bot()).is_empty());
    }

    #[test]
    fn a_ticket_from_before_an_eviction_touches_nothing_of_its_successor() {
        let runs = Runs::default();
        let before = runs.enter(ExecutionId(1), &bot()).unwrap();
        let _ = runs.evict(&bot());
        let after = runs.enter(ExecutionId(1), &bot()).unwrap();
        assert!(before.settle().is_none());
        assert!(runs.has(ExecutionId(1)) && runs.is_busy(&bot()));
        assert!(after.settle().is_none());
        assert!(runs.is_empty());
    }
}
