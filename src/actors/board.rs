//! What is known of every bot at this moment, kept fresh by notifications, so that lists are answered from memory.
//!
//! The scheduler tells it of stored states, holds, next slots and claims, the register of runs of starts and ends, the
//! store's answers of ends. Nothing here decides anything, and nothing is waited for under its lock.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::messages::{BotCard, Bots};
use crate::domain::{
    Instant,
    bot::{Bot, BotName},
    hold::Hold,
    run::ExecutionId,
    state::BotState,
};

/// The cards of all bots of the configuration; clones share them.
#[derive(Clone, Default)]
pub struct Board(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// Grows with every visible change.
    version: u64,
    cards: BTreeMap<BotName, Card>,
    /// All cards at some version.
    picture: Option<Bots>,
}

struct Card {
    card: Arc<BotCard>,
    /// The version that its last change made.
    changed: u64,
}

/// A moment in the life of the board: a read of the store that begins after it knows nothing of later changes.
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

impl Board {
    /// Takes up a bot, or puts its new configuration in the place of the old one.
    pub fn take_up(&self, bot: &Arc<Bot>, state: &BotState) {
        let mut inner = self.lock();
        inner.version += 1;
        let changed = inner.version;
        let before = inner.cards.remove(&bot.name).map(|card| card.card);
        let state = match &before {
            Some(card) => not_before(state, &card.state),
            None => state.clone(),
        };
        let card = Arc::new(BotCard {
            bot: Arc::clone(bot),
            state,
            claimed: before.as_ref().and_then(|card| card.claimed),
            running: before.map_or_else(Vec::new, |card| card.running.clone()),
        });
        inner.cards.insert(bot.name.clone(), Card { card, changed });
    }

    /// The configuration has dropped this bot.
    pub fn leave_out(&self, bot: &BotName) {
        let mut inner = self.lock();
        if inner.cards.remove(bot).is_some() {
            inner.version += 1;
        }
    }

    /// This moment, to be taken before the store is read.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.lock().version)
    }

    /// Whether memory has learned something of this bot since `mark`, which a read that began then may not know.
    #[must_use]
    pub fn has_changed(&self, bot: &BotName, mark: Mark) -> bool {
        let inner = self.lock();
        inner
            .cards
            .get(bot)
            .is_some_and(|card| card.changed > mark.0)
    }

    /// The store has answered a change with this state.
    pub fn stored(&self, state: &BotState) {
        self.change(&state.bot, |card| {
            let state = not_before(state, &card.state);
            if card.state != state {
                card.to_mut().state = state;
            }
        });
    }

    /// The ledger accounts for all slots before this one.
    pub fn next_run(&self, bot: &BotName, next: Option<Instant>) {
        self.change(bot, |card| {
            if card.state.next_run != next {
                card.to_mut().state.next_run = next;
            }
        });
    }

    /// The bot is held.
    pub fn held(&self, bot: &BotName, hold: &Hold) {
        self.change(bot, |card| {
            if card.state.hold.as_ref() != Some(hold) {
                card.to_mut().state.hold = Some(hold.clone());
            }
        });
    }

    /// A slot is claimed, and waits for its time.
    pub fn claimed(&self, bot: &BotName, slot: Instant) {
        self.change(bot, |card| {
            if card.claimed.is_none_or(|claimed| slot < claimed) {
                card.to_mut().claimed = Some(slot);
            }
        });
    }

    /// The claim of this slot does not wait any more.
    pub fn unclaimed(&self, bot: &BotName, slot: Instant) {
        self.change(bot, |card| {
            if card.claimed == Some(slot) {
                card.to_mut().claimed = None;
            }
        });
    }

    /// Whoever kept the claims is gone; its successor finds them in the store.
    pub fn forget_claims(&self) {
        let names: Vec<BotName> = self.lock().cards.keys().cloned().collect();
        for bot in names {
            self.change(&bot, |card| {
                if card.claimed.is_some() {
                    card.to_mut().claimed = None;
                }
            });
        }
    }

    /// A run is at work.
    pub fn started(&self, bot: &BotName, execution: ExecutionId, at: Instant) {
        self.change(bot, |card| {
            let card = card.to_mut();
            card.state.last_run = card.state.last_run.max(Some(at));
            card.running.push(execution);
        });
    }

    /// A run is at work no more.
    pub fn ended(&self, bot: &BotName, execution: ExecutionId) {
        self.change(bot, |card| {
            if card.running.contains(&execution) {
                card.to_mut().running.retain(|run| *run != execution);
            }
        });
    }

    /// The end of a run is stored: so many in a row have failed now, and if it succeeded, it was at `succeeded`.
    pub fn finished(&self, bot: &BotName, failures: u32, succeeded: Option<Instant>) {
        self.change(bot, |card| {
            let state = &card.state;
            let last_success = state.last_success.max(succeeded);
            if (state.consecutive_failures, state.last_success) != (failures, last_success) {
                let state = &mut card.to_mut().state;
                (state.consecutive_failures, state.last_success) = (failures, last_success);
            }
        });
    }

    /// All bots, by name.
    #[must_use]
    pub fn list(&self) -> Bots {
        let mut inner = self.lock();
        let version = inner.version;
        if let Some(bots) = inner
            .picture
            .as_ref()
            .filter(|bots| bots.version == version)
        {
            return bots.clone();
        }
        let cards = inner.cards.values().map(|card| Arc::clone(&card.card));
        let cards = Arc::new(cards.collect());
        let bots = Bots { version, cards };
        inner.picture = Some(bots.clone());
        bots
    }

    /// One bot.
    #[must_use]
    pub fn card(&self, bot: &BotName) -> Option<Arc<BotCard>> {
        self.lock()
            .cards
            .get(bot)
            .map(|card| Arc::clone(&card.card))
    }

    fn change(&self, bot: &BotName, edit: impl FnOnce(&mut Edit<'_>)) {
        let mut inner = self.lock();
        let version = inner.version + 1;
        let Some(card) = inner.cards.get_mut(bot) else {
            return;
        };
        let mut edit_of = Edit {
            card: &mut card.card,
            edited: false,
        };
        edit(&mut edit_of);
        if edit_of.edited {
            card.changed = version;
            inner.version = version;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A state as read from the store, with what memory knows of later runs.
fn not_before(state: &BotState, known: &BotState) -> BotState {
    BotState {
        last_run: state.last_run.max(known.last_run),
        last_success: state.last_success.max(known.last_success),
        ..state.clone()
    }
}

/// A card that is written to only if it changes.
struct Edit<'a> {
    card: &'a mut Arc<BotCard>,
    edited: bool,
}

impl Edit<'_> {
    /// Those who have a picture of the card keep it as it was.
    fn to_mut(&mut self) -> &mut BotCard {
        self.edited = true;
        Arc::make_mut(self.card)
    }
}

impl std::ops::Deref for Edit<'_> {
    type Target = BotCard;

    fn deref(&self) -> &BotCard {
        self.card
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        bot::{Behaviour, Target},
        hold::HoldKind,
        policy::Policy,
    };

    fn at(second: i64) -> Instant {
        chrono::DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    fn name(text: &str) -> BotName {
        BotName::parse(text).unwrap()
    }

    fn state(text: &str) -> BotState {
        BotState {
            bot: name(text),
            actor_name: text.into(),
            schedule: None,
            anchor: at(0),
            next_run: Some(at(60)),
            last_run: None,
            last_success: None,
            consecutive_failures: 0,
            runs: 0,
            hold: None,
            removed: false,
        }
    }

    fn bot(text: &str) -> Arc<Bot> {
        Arc::new(Bot {
            name: name(text),
            enabled: true,
            quarantine: None,
            target: Target::default(),
            schedule: None,
            policy: Policy::default(),
            behaviour: Arc::new(Behaviour::default()),
        })
    }

    fn board() -> Board {
        let board = Board::default();
        for text in ["b", "a", "c"] {
            board.take_up(&bot(text), &state(text));
        }
        board
    }

    #[test]
    fn bots_are_listed_by_name_and_one_picture_serves_until_something_changes() {
        let board = board();
        let first = board.list();
        let names: Vec<&str> = first
            .cards
            .iter()
            .map(|card| card.bot.name.as_str())
            .collect();
        assert_eq!(names, ["a", "b", "c"]);
        board.stored(&state("a"));
        board.next_run(&name("a"), Some(at(60)));
        assert!(Arc::ptr_eq(&first.cards, &board.list().cards));
        board.next_run(&name("a"), Some(at(120)));
        let second = board.list();
        assert!(second.version > first.version);
        assert_eq!(first.cards[0].state.next_run, Some(at(60)));
        assert_eq!(second.cards[0].state.next_run, Some(at(120)));
        board.leave_out(&name("a"));
        assert_eq!(board.list().cards.len(), 2);
    }

    #[test]
    fn a_run_is_shown_while_it_is_at_work_and_the_last_start_stays() {
        let board = board();
        board.started(&name("a"), ExecutionId(1), at(10));
        // The start is on its way to the store still.
        board.stored(&state("a"));
        let card = board.card(&name("a")).unwrap();
        assert_eq!((card.state.last_run, card.running.len()), (Some(at(10)), 1));
        board.ended(&name("a"), ExecutionId(1));
        let card = board.card(&name("a")).unwrap();
        assert!(card.running.is_empty() && card.state.last_run == Some(at(10)));
    }

    #[test]
    fn what_changed_after_a_read_began_is_known() {
        let board = board();
        let mark = board.mark();
        board.held(&name("a"), &Hold::by_server(HoldKind::Failures, "five"));
        assert!(board.has_changed(&name("a"), mark));
        assert!(!board.has_changed(&name("b"), mark));
        assert!(!board.has_changed(&name("a"), board.mark()));
    }

    #[test]
    fn a_claim_is_shown_until_it_is_handed_on() {
        let board = board();
        board.claimed(&name("a"), at(60));
        board.unclaimed(&name("a"), at(30));
        assert_eq!(board.card(&name("a")).unwrap().claimed, Some(at(60)));
        board.forget_claims();
        assert_eq!(board.card(&name("a")).unwrap().claimed, None);
    }

    #[test]
    fn an_end_changes_the_card_and_a_success_never_goes_back() {
        let board = board();
        board.finished(&name("a"), 2, None);
        let mark = board.mark();
        board.finished(&name("a"), 2, None);
        assert!(!board.has_changed(&name("a"), mark));
        for (succeeded, newest) in [(Some(at(10)), at(10)), (Some(at(5)), at(10))] {
            board.finished(&name("a"), 0, succeeded);
            let state = &board.card(&name("a")).unwrap().state;
            assert_eq!(state.last_success, Some(newest));
            assert_eq!(state.consecutive_failures, 0);
        }
        board.stored(&state("a"));
        let card = board.card(&name("a")).unwrap();
        assert_eq!(
            card.state.last_success,
            Some(at(10)),
            "read before it ended"
        );
    }
}
