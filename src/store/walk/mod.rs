//! Looking through a knowledge table in an order, past all that is not to be chosen.
//!
//! The rule: an item is looked at once and not at every choice. Where many items in a row cannot be chosen (the bot has
//! used them, or their time is over or has not come), the walk notes a [`Stretch`], and later walks leap over it. A stretch
//! holds for a bot or for all, and only for the times that it names, so that a clock that goes back sees its items again.
//!
//! Stretches are a memory and no truth: all may be deleted at any time. What may make an item one to be chosen (it is added,
//! changed, or free again) deletes those that lie over it and raises the revision of its table in the same transaction;
//! what a walk has found is kept only if the revision is still the one that it began with.

mod walker;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub(super) use self::walker::Walker;
use crate::domain::{
    Instant,
    content::{ContentItem, StoredItem},
};

/// Of more changed items than this, not each is looked for among the stretches: all in their range go.
const FEW: usize = 64;

/// What is looked for in a table when nothing is wanted: enough to see where a choice would begin.
pub(super) const A_LOOK: u32 = 16;

/// Rows that are looked at when so many items have been added: as many again, and what a choice would look at. An import in
/// many parts takes time in proportion to its length so, whatever it is made of.
pub(super) const fn rows_of_a_look(items: usize) -> usize {
    items.saturating_mul(4).saturating_add(1024)
}

/// An order of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The highest priority first, of equal ones the oldest.
    Priority,
    /// The newest first.
    Age,
}

impl Order {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Priority, Self::Age];

    /// As stored.
    pub(super) const fn number(self) -> i32 {
        match self {
            Self::Priority => 0,
            Self::Age => 1,
        }
    }

    /// The first rows of a page that may have been put together of two parts, each in order.
    pub(super) fn first_of(self, mut rows: Vec<Passing>, limit: i64) -> Vec<Passing> {
        rows.sort_by(|a, b| {
            let (a, b) = (self.place(a.id, a.priority), self.place(b.id, b.priority));
            a.rank.total_cmp(&b.rank).then(a.key.cmp(&b.key))
        });
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        rows
    }

    /// Where an item stands.
    pub(super) fn place(self, id: i64, priority: f64) -> Place {
        match self {
            // Not `-priority`: that makes a negative zero, which databases may print.
            Self::Priority => Place {
                rank: 0.0 - priority,
                key: id,
            },
            Self::Age => Place {
                rank: 0.0,
                key: id.saturating_neg(),
            },
        }
    }
}

/// A place in an order: the smaller comes first, by `rank` and then by `key`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Place {
    /// The priority with its sign turned, or 0.
    pub(super) rank: f64,
    /// The id, or the id with its sign turned.
    pub(super) key: i64,
}

impl Place {
    /// Before all items.
    pub(super) const START: Self = Self {
        rank: f64::NEG_INFINITY,
        key: i64::MIN,
    };

    pub(super) const fn just_before(self) -> Self {
        Self {
            rank: self.rank,
            key: self.key.saturating_sub(1),
        }
    }

    const fn just_after(self) -> Self {
        Self {
            rank: self.rank,
            key: self.key.saturating_add(1),
        }
    }
}

/// Places without an item to be chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    /// Whether it holds for one bot, which has used some of the items, or for all.
    pub(super) of_bot: bool,
    /// Before the first place.
    pub(super) from: Place,
    /// The last place.
    pub(super) to: Place,
    /// It holds from then on: the latest end of an item whose time is over.
    pub(super) since: Option<Instant>,
    /// It holds before that: the earliest beginning of an item whose time has not come.
    pub(super) until: Option<Instant>,
    /// Items in it when it was found.
    pub(super) items: i64,
}

impl Stretch {
    fn holds(&self, now: Instant) -> bool {
        self.since.is_none_or(|since| since <= now) && !self.is_over(now)
    }

    fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// An item that a walk comes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passing {
    /// The row.
    pub(super) id: i64,
    /// See [`ContentItem::priority`].
    pub(super) priority: f64,
    /// See [`ContentItem::not_before`].
    pub(super) not_before: Option<Instant>,
    /// See [`ContentItem::expires_at`].
    pub(super) expires_at: Option<Instant>,
    /// The run that has used it for the bot.
    pub(super) used_by: Option<i64>,
}

impl Passing {
    /// Whether putting `item` in its place changes when, or where in an order, it may be chosen.
    pub(super) fn differs(&self, item: &ContentItem) -> bool {
        self.priority != priority(item)
            || self.not_before != item.not_before
            || self.expires_at != item.expires_at
    }
}

/// What a walk has found out for the next ones.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) table: String,
    pub(super) order: Order,
    /// Of the table, when the walk began.
    pub(super) revision: i64,
    pub(super) stretches: Vec<Stretch>,
    /// Stretches that end by then go.
    pub(super) now: Instant,
}

/// Places at which something has changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Changed {
    /// At these, by id and priority.
    Here(Vec<(i64, f64)>),
    /// Somewhere between these, of each order, inclusively.
    Between([(Place, Place); 2]),
}

impl Changed {
    /// Few items by their places, many by their range.
    pub(super) fn of(items: Vec<(i64, f64)>) -> Self {
        if items.len() <= FEW {
            return Self::Here(items);
        }
        Self::Between(Order::ALL.map(|order| {
            let places = items
                .iter()
                .map(|(id, priority)| order.place(*id, *priority));
            let nothing = (
                Place {
                    rank: f64::INFINITY,
                    key: i64::MAX,
                },
                Place::START,
            );
            places.fold(nothing, |(first, last), place| {
                let first = if place < first { place } else { first };
                let last = if place > last { place } else { last };
                (first, last)
            })
        }))
    }

    /// The ranges of an order in which no stretch may stay.
    pub(super) fn ranges(&self, order: Order) -> Vec<(Place, Place)> {
        let at = |(id, priority): &(i64, f64)| {
            let place = order.place(*id, *priority);
            (place, place)
        };
        match self {
            Self::Here(items) => items.iter().map(at).collect(),
            Self::Between([by_priority, by_age]) => vec![match order {
                Order::Priority => *by_priority,
                Order::Age => *by_age,
            }],
        }
    }
}

/// The priority as it is stored: one that is no number would stand nowhere in an order.
pub(super) fn priority(item: &ContentItem) -> f64 {
    if item.priority.is_finite() {
        item.priority
    } else {
        0.5
    }
}

/// The items with these ids in this order, each once; those of other tables are left out.
pub(super) fn in_order(ids: &[i64], tables: &[String], items: Vec<StoredItem>) -> Vec<StoredItem> {
    let wanted = items
        .into_iter()
        .filter(|item| tables.contains(&item.table));
    let mut by_id: HashMap<i64, StoredItem> = wanted.map(|item| (item.id, item)).collect();
    ids.iter().filter_map(|id| by_id.remove(id)).collect()
}
