//! Who is to be looked at when: the scheduler's memory, ordered by time. Nothing here polls a bot. What others want to
//! know of it goes on to the [`Board`].

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    claims::{Claims, Reserved},
    entry::Entry,
};
use crate::{
    actors::board::Board,
    domain::{
        Instant,
        bot::{Bot, BotName},
        hold::Hold,
        run::{Claim, ExecutionId},
        state::BotState,
    },
};

/// All bots of this process.
pub(super) struct Agenda {
    board: Board,
    entries: HashMap<BotName, Entry>,
    claims: Claims,
    /// When to plan for whom.
    wakes: BTreeSet<(Instant, BotName)>,
    /// The place of each bot in `wakes`.
    wake_of: HashMap<BotName, Instant>,
}

impl Agenda {
    /// An empty one; what a predecessor had claimed is found in the store.
    pub(super) fn on(board: Board) -> Self {
        board.forget_claims();
        Self {
            board,
            entries: HashMap::new(),
            claims: Claims::default(),
            wakes: BTreeSet::new(),
            wake_of: HashMap::new(),
        }
    }

    /// Takes up a bot with what is stored of it.
    pub(super) fn add(&mut self, bot: Arc<Bot>, state: BotState, epoch: u64) {
        let name = bot.name.clone();
        self.board.take_up(&bot, &state);
        let entry = Entry::new(bot, state, epoch);
        self.entries.insert(name.clone(), entry);
        self.arm(&name);
    }

    /// Forgets a bot and its claims.
    pub(super) fn remove(&mut self, bot: &BotName) {
        self.entries.remove(bot);
        self.drop_claims(bot);
        self.board.leave_out(bot);
        self.arm(bot);
    }

    /// Forgets the claims of a bot. Replies whether there were any.
    pub(super) fn drop_claims(&mut self, bot: &BotName) -> bool {
        let claims = self.claims.all_of(bot);
        for execution in &claims {
            self.forget(*execution);
        }
        !claims.is_empty()
    }

    /// The store is asked before claims of this bot start.
    pub(super) fn doubt_claims(&mut self, bot: &BotName) {
        for execution in self.claims.all_of(bot) {
            self.claims.doubt(execution);
        }
    }

    pub(super) fn get(&self, bot: &BotName) -> Option<&Entry> {
        self.entries.get(bot)
    }

    /// Whether nothing of this bot is on its way, so that what is stored may replace what is remembered.
    pub(super) fn is_at_rest(&self, bot: &BotName) -> bool {
        self.entries.get(bot).is_some_and(|entry| !entry.pending) && !self.claims.of(bot)
    }

    /// Bots that may not run now, whose slots are accounted for at each reconciliation.
    pub(super) fn closed(&self) -> Vec<BotName> {
        let closed = |entry: &&Entry| entry.closed().is_some() && !entry.pending;
        let names = self
            .entries
            .values()
            .filter(closed)
            .map(|entry| entry.bot.name.clone());
        names.collect()
    }

    /// Changes a bot's entry and finds its new place.
    pub(super) fn change(&mut self, bot: &BotName, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.get_mut(bot) {
            change(entry);
            self.arm(bot);
        }
    }

    /// The store has answered with this state of a bot.
    pub(super) fn update(&mut self, state: BotState) {
        self.board.stored(&state);
        let bot = state.bot.clone();
        self.change(&bot, |entry| entry.update(state));
    }

    /// All slots of a bot before this one are accounted for.
    pub(super) fn advance(&mut self, bot: &BotName, next: Option<Instant>) {
        self.board.next_run(bot, next);
        self.change(bot, |entry| entry.state.next_run = next);
    }

    /// A bot is held, and its stored state has not been read since.
    pub(super) fn hold(&mut self, bot: &BotName, hold: Hold) {
        self.board.held(bot, &hold);
        self.change(bot, |entry| entry.state.hold = Some(hold));
    }

    pub(super) const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Keeps a claim until its due time.
    pub(super) fn keep(&mut self, reserved: Reserved) {
        let bot = reserved.claim.bot.clone();
        if let Some(slot) = reserved.claim.slot {
            self.board.claimed(&bot, slot);
        }
        self.claims.keep(reserved);
        self.arm(&bot);
    }

    /// A claim goes on its way to the bot's actor.
    pub(super) fn hand(&mut self, execution: ExecutionId) -> Option<Reserved> {
        self.claims.hand(execution)
    }

    /// A claim did not get to the actor.
    pub(super) fn take_back(&mut self, execution: ExecutionId) {
        self.claims.take_back(execution);
    }

    /// A claim is somebody else's now, or gone: the bot's next slot may be claimed.
    pub(super) fn forget(&mut self, execution: ExecutionId) -> Option<Claim> {
        let claim = self.claims.forget(execution)?;
        if let Some(slot) = claim.slot {
            self.board.unclaimed(&claim.bot, slot);
        }
        self.arm(&claim.bot);
        Some(claim)
    }

    /// Bots to plan for at `now`, longest due first.
    pub(super) fn awake(&self, now: Instant, most: usize) -> Vec<BotName> {
        let awake = self
            .wakes
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(most);
        awake.map(|(_, bot)| bot.clone()).collect()
    }

    /// The next moment after `now` at which something is to be done.
    pub(super) fn next_event(&self, now: Instant) -> Option<Instant> {
        let wake = self.wakes.iter().map(|(at, _)| *at).find(|at| *at > now);
        [wake, self.claims.next_after(now)]
            .into_iter()
            .flatten()
            .min()
    }

    /// At most one claim of a bot is taken ahead: the next slot is planned for when it has been handed on.
    fn arm(&mut self, bot: &BotName) {
        if let Some(old) = self.wake_of.remove(bot) {
            self.wakes.remove(&(old, bot.clone()));
        }
        let entry = self.entries.get(bot).filter(|_| !self.claims.of(bot));
        if let Some(at) = entry.and_then(Entry::wake_at) {
            self.wakes.insert((at, bot.clone()));
            self.wake_of.insert(bot.clone(), at);
        }
    }
}
