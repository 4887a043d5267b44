//! What a batch will touch, so that all of it is locked and read at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use crate::{
    domain::{Instant, bot::BotName, outcome::Status, post::CONSOLE, run::ExecutionId},
    store::{LedgerRow, Write, keys, postgres::sheet::ends_claims},
};

/// See the module.
#[derive(Default)]
pub(super) struct Needs {
    pub(super) bots: BTreeSet<BotName>,
    /// Ledger rows that writes name.
    pub(super) rows: Vec<i64>,
    /// Bots whose open runs count.
    pub(super) open: BTreeSet<BotName>,
    /// Wishes that may have made a row before: the bot, and the stored form of the key.
    pub(super) wishes: BTreeSet<(BotName, String)>,
    /// Posts that may be stored already: run and position.
    pub(super) posts: Vec<(i64, i32)>,
    /// Items that posts are made of, each with the bot.
    pub(super) items: Vec<(BotName, i64)>,
    /// Rows and posts that may be new.
    pub(super) new_rows: i64,
    pub(super) new_posts: i64,
    /// The locks of the destinations that posts are stored for, in their order.
    pub(super) lines: BTreeSet<i64>,
    /// Slots that are claimed or recorded.
    slots: BTreeSet<(BotName, Instant)>,
    /// Whether claims may be given back.
    gives_back: bool,
}

/// Places in the ledger whose neighbours matter.
pub(super) struct Places {
    /// The rows at or before these slots.
    pub(super) before: BTreeSet<(BotName, Instant)>,
    /// Bots whose newest row decides whether there is a later slot.
    pub(super) newest: BTreeSet<BotName>,
    /// How many rows at each place: two, and as many as a batch may take away there.
    pub(super) depth: i64,
}

impl Needs {
    pub(super) fn of(writes: &[Write]) -> Self {
        let mut needs = Self::default();
        writes.iter().for_each(|write| needs.add(write));
        needs
    }

    /// All that a rescue of these bots' rows takes.
    pub(super) fn of_rescue(bots: BTreeSet<BotName>) -> Self {
        Self {
            open: bots.clone(),
            bots,
            gives_back: true,
            ..Self::default()
        }
    }

    /// One arm for each kind of write.
    fn add(&mut self, write: &Write) {
        match write {
            Write::Register {
                expected,
                state,
                gaps,
                ..
            } => {
                self.bots.insert(state.bot.clone());
                if expected.as_ref().is_some_and(|old| ends_claims(old, state)) {
                    self.open.insert(state.bot.clone());
                    self.gives_back = true;
                }
                gaps.iter().for_each(|gap| self.slot(&state.bot, gap.first));
            }
            Write::Advance(advance) => {
                self.bots.insert(advance.bot.clone());
                if advance.alone {
                    self.open.insert(advance.bot.clone());
                }
                let gaps = advance.gaps.iter().map(|gap| gap.first);
                gaps.chain(advance.claim)
                    .for_each(|slot| self.slot(&advance.bot, slot));
            }
            Write::Start(start) => {
                self.rows.push(start.execution.0);
                self.bots.insert(start.bot.clone());
                if start.exclusive {
                    self.open.insert(start.bot.clone());
                }
            }
            Write::Attempt { execution, .. } => self.rows.push(execution.0),
            Write::Decline { execution, .. } | Write::Release { execution } => {
                self.rows.push(execution.0);
                self.gives_back = true;
            }
            Write::Finish(finish) => {
                self.rows.push(finish.execution.0);
                self.bots.insert(finish.bot.clone());
            }
            Write::Insert { bot, key, .. } => {
                self.bots.insert(bot.clone());
                let wish = key.as_deref().map(|key| (bot.clone(), keys::of_wish(key)));
                self.wishes.extend(wish);
                self.new_rows += 1;
            }
            Write::RequestCancel { bot, execution } => {
                self.bots.insert(bot.clone());
                match execution {
                    Some(id) => self.rows.push(id.0),
                    None => drop(self.open.insert(bot.clone())),
                }
            }
            Write::StorePost(post) => {
                self.rows.push(post.execution.0);
                self.posts.push((post.execution.0, post.position));
                let item = post.item.as_ref();
                self.items
                    .extend(item.map(|item| (post.bot.clone(), item.id)));
                if post.platform != CONSOLE {
                    self.lines.insert(line(&post.platform, &post.destination));
                }
                self.new_posts += 1;
            }
            Write::MarkPost(_) => {}
            Write::SetHold { bot, .. } | Write::ClearHold { bot, .. } => {
                self.bots.insert(bot.clone());
            }
        }
    }

    /// A slot that may get a row.
    fn slot(&mut self, bot: &BotName, slot: Instant) {
        self.slots.insert((bot.clone(), slot));
        self.new_rows += 1;
    }

    /// What else is needed, now that the rows which writes name, and the open ones, are known.
    pub(super) fn places(
        &self,
        owners: &HashMap<ExecutionId, BotName>,
        rows: &[LedgerRow],
    ) -> Places {
        let mut places = Places {
            before: self.slots.clone(),
            newest: BTreeSet::new(),
            depth: 2 + self.most_rows(owners, rows),
        };
        let waiting = |row: &&LedgerRow| row.status == Status::Running && row.started_at.is_none();
        for row in rows.iter().filter(waiting).filter(|_| self.gives_back) {
            if let Some(slot) = row.scheduled_for {
                places.before.insert((row.bot.clone(), slot));
                places.newest.insert(row.bot.clone());
            }
        }
        places
    }

    /// The rows of one bot that the batch may take away, at most.
    fn most_rows(&self, owners: &HashMap<ExecutionId, BotName>, rows: &[LedgerRow]) -> i64 {
        let named = self
            .rows
            .iter()
            .filter_map(|id| owners.get(&ExecutionId(*id)));
        let mut counts: BTreeMap<&BotName, i64> = BTreeMap::new();
        for bot in named.chain(rows.iter().map(|row| &row.bot)) {
            *counts.entry(bot).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    }
}

/// The advisory lock of a destination's line.
fn line(platform: &str, destination: &str) -> i64 {
    let digest = Sha256::digest(format!("line\n{platform}\n{destination}"));
    let first = digest.iter().take(8);
    first.fold(0, |number, byte| (number << 8) | i64::from(*byte))
}
