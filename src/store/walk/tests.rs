//! Walks against a plain model: whatever is noted, each walk finds what a look at every item finds.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use super::*;

fn at(n: i64) -> Instant {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::seconds(n)
}

/// A table, the uses of one bot, and the notes.
#[derive(Default)]
struct Table {
    items: Vec<Passing>,
    notes: HashMap<(i32, bool), Vec<Stretch>>,
    /// Rows that the last walk has read.
    read: usize,
}

impl Table {
    fn add(&mut self, priority: f64, window: (Option<i64>, Option<i64>)) {
        let id = i64::try_from(self.items.len()).unwrap() + 1;
        self.items.push(Passing {
            id,
            priority,
            not_before: window.0.map(at),
            expires_at: window.1.map(at),
            used_by: None,
        });
        self.changed(vec![(id, priority)]);
    }

    fn changed(&mut self, items: Vec<(i64, f64)>) {
        let changed = Changed::of(items);
        for order in Order::ALL {
            for (first, last) in changed.ranges(order) {
                for of_bot in [false, true] {
                    let notes = self.notes.entry((order.number(), of_bot)).or_default();
                    notes.retain(|s| !(s.to > first.just_before() && s.from < last));
                }
            }
        }
    }

    fn sorted(&self, order: Order) -> Vec<Passing> {
        order.first_of(self.items.clone(), i64::MAX)
    }

    /// Walks and keeps what was found out.
    fn walk(&mut self, order: Order, now: i64, wanted: u32, skip: &[i64]) -> Vec<i64> {
        let known: Vec<Stretch> = [false, true]
            .iter()
            .filter_map(|of_bot| self.notes.get(&(order.number(), *of_bot)))
            .flatten()
            .copied()
            .collect();
        let sorted = self.sorted(order);
        let mut walker = Walker::new(order, at(now), &known).wanting(
            wanted,
            9,
            skip.iter().copied().collect::<HashSet<_>>(),
        );
        self.read = 0;
        while let Some((after, limit)) = walker.next() {
            let rest = sorted
                .iter()
                .filter(|i| order.place(i.id, i.priority) > after);
            let page: Vec<Passing> = rest.take(limit as usize).copied().collect();
            self.read += page.len();
            walker.take(&page);
        }
        let (found, new) = walker.end();
        for stretch in new.into_iter().flatten() {
            let notes = self
                .notes
                .entry((order.number(), stretch.of_bot))
                .or_default();
            notes.retain(|old| !old.is_over(at(now)));
            notes.retain(|old| !(old.to > stretch.from && old.from < stretch.to));
            notes.push(stretch);
        }
        found
    }

    fn all(&self, order: Order, now: i64, wanted: usize, skip: &[i64]) -> Vec<i64> {
        let now = at(now);
        let may = |item: &&Passing| {
            item.used_by.is_none_or(|run| run == 9)
                && item.not_before.is_none_or(|begin| begin <= now)
                && item.expires_at.is_none_or(|end| end > now)
                && !skip.contains(&item.id)
        };
        let sorted = self.sorted(order);
        sorted
            .iter()
            .filter(may)
            .take(wanted)
            .map(|item| item.id)
            .collect()
    }
}

/// What may happen to a table between two choices.
#[derive(Clone, Debug)]
enum Event {
    Add {
        priority: u8,
        window: (Option<i64>, Option<i64>),
        times: usize,
    },
    Use {
        first: usize,
        times: usize,
        run: i64,
    },
    Free {
        item: usize,
    },
    Change {
        item: usize,
        priority: u8,
        window: (Option<i64>, Option<i64>),
    },
    Choose {
        now: i64,
        wanted: u32,
        skip: usize,
    },
}

fn windows() -> impl Strategy<Value = (Option<i64>, Option<i64>)> {
    (
        proptest::option::of(0..6_i64),
        proptest::option::of(0..6_i64),
    )
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0..4_u8, windows(), 1..400_usize)
            .prop_map(|(priority, window, times)| Event::Add { priority, window, times }),
        3 => (any::<usize>(), 1..600_usize, 8..10_i64)
            .prop_map(|(first, times, run)| Event::Use { first, times, run }),
        1 => any::<usize>().prop_map(|item| Event::Free { item }),
        1 => (any::<usize>(), 0..4_u8, windows())
            .prop_map(|(item, priority, window)| Event::Change { item, priority, window }),
        4 => (0..6_i64, 0..20_u32, 0..10_usize)
            .prop_map(|(now, wanted, skip)| Event::Choose { now, wanted, skip }),
    ]
}

fn happen(table: &mut Table, event: Event) -> Result<(), TestCaseError> {
    let count = table.items.len();
    match event {
        Event::Add {
            priority,
            window,
            times,
        } => {
            (0..times).for_each(|_| table.add(f64::from(priority) / 4.0, window));
        }
        Event::Use { first, times, run } if count > 0 => {
            let chosen = table.sorted(Order::Priority);
            for item in chosen.iter().skip(first % count).take(times) {
                let item = table.items.iter_mut().find(|i| i.id == item.id).unwrap();
                item.used_by.get_or_insert(run);
            }
        }
        Event::Free { item } if count > 0 => {
            let item = &mut table.items[item % count];
            item.used_by = None;
            let place = (item.id, item.priority);
            table.changed(vec![place]);
        }
        Event::Change {
            item,
            priority,
            window,
        } if count > 0 => {
            let item = &mut table.items[item % count];
            item.priority = f64::from(priority) / 4.0;
            (item.not_before, item.expires_at) = (window.0.map(at), window.1.map(at));
            let place = (item.id, item.priority);
            table.changed(vec![place]);
        }
        Event::Choose { now, wanted, skip } => {
            for order in Order::ALL {
                let skip = table.all(order, now, skip, &[]);
                let expected = table.all(order, now, wanted as usize, &skip);
                prop_assert_eq!(table.walk(order, now, wanted, &skip), expected);
            }
        }
        _ => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_that_leaps_finds_what_a_look_at_every_item_finds(
        history in proptest::collection::vec(events(), 1..25),
    ) {
        let mut table = Table::default();
        for event in history {
            happen(&mut table, event)?;
        }
    }
}

#[test]
fn what_was_looked_at_for_nothing_is_leapt_over_the_next_time() {
    let mut table = Table::default();
    (0..5_000).for_each(|_| table.add(0.9, (None, Some(0))));
    (0..5_000).for_each(|_| table.add(0.8, (Some(100), None)));
    (0..50).for_each(|_| table.add(0.5, (None, None)));
    let first = table.walk(Order::Priority, 1, 10, &[]);
    assert!(table.read > 10_000, "{}", table.read);
    assert_eq!(table.walk(Order::Priority, 1, 10, &[]), first);
    assert!(table.read < 60, "{}", table.read);
    // A clock that goes back, and one that goes on, see what is to be chosen then.
    assert_eq!(table.walk(Order::Priority, -1, 1, &[]), [1]);
    assert_eq!(table.walk(Order::Priority, 100, 1, &[]), [5_001]);
}

#[test]
fn a_bot_that_uses_one_item_after_the_other_never_looks_far() {
    let mut table = Table::default();
    (0..3_000).for_each(|_| table.add(0.5, (None, None)));
    for n in 1..2_500 {
        let found = table.walk(Order::Priority, 0, 10, &[]);
        assert_eq!(found.first(), Some(&n));
        assert!(table.read < 250, "{} at {n}", table.read);
        table.items[usize::try_from(n).unwrap() - 1].used_by = Some(1);
    }
    let notes = &table.notes[&(Order::Priority.number(), true)];
    assert!(notes.len() < 6, "{}", notes.len());
}

#[test]
fn one_item_put_among_many_used_ones_is_found_and_costs_one_stretch() {
    let mut table = Table::default();
    for _ in 0..10_000 {
        table.add(0.5, (None, None));
    }
    (0..20).for_each(|_| table.add(0.1, (None, None)));
    for item in &mut table.items[..10_000] {
        item.used_by = Some(1);
    }
    table.walk(Order::Priority, 0, 10, &[]);
    table.items[5_000].used_by = None;
    table.changed(vec![(5_001, 0.5)]);
    let found = table.walk(Order::Priority, 0, 10, &[]);
    assert_eq!(found.first(), Some(&5_001));
    // The stretch, and the page that it ends in.
    assert!(table.read < 2_048, "{}", table.read);
}

#[test]
fn many_changes_at_once_are_one_range() {
    let few = Changed::of(vec![(3, 0.5), (4, 0.1)]);
    assert_eq!(few.ranges(Order::Age).len(), 2);
    let many = Changed::of((1..200).map(|id| (id, 0.5)).collect());
    let range = many.ranges(Order::Age);
    assert_eq!(
        range,
        [(Order::Age.place(199, 0.5), Order::Age.place(1, 0.5))]
    );
    let range = many.ranges(Order::Priority);
    assert_eq!(
        range,
        [(
            Order::Priority.place(1, 0.5),
            Order::Priority.place(199, 0.5)
        )]
    );
    assert!(Changed::of(Vec::new()).ranges(Order::Age).is_empty());
}

#[test]
fn a_walk_that_may_read_little_notes_what_it_has_seen() {
    let mut table = Table::default();
    (0..5_000).for_each(|_| table.add(0.9, (None, Some(0))));
    table.add(0.1, (None, None));
    let sorted = table.sorted(Order::Priority);
    let mut walker = Walker::new(Order::Priority, at(1), &[]).at_most(1_500);
    walker = walker.wanting(A_LOOK, 0, HashSet::new());
    let mut read = 0;
    while let Some((_, limit)) = walker.next() {
        let page = &sorted[read..read + limit as usize];
        read += page.len();
        walker.take(page);
    }
    assert!(read < 3_000, "{read}");
    let (found, noted) = walker.end();
    let noted: i64 = noted.unwrap().iter().map(|stretch| stretch.items).sum();
    assert_eq!((found.len(), noted), (0, i64::try_from(read).unwrap()));
}
