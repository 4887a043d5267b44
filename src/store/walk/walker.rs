//! The walk itself, as a state machine: the backend asks it for the next page to read, and hands it the rows.

use std::collections::HashSet;

use super::{Order, Passing, Place, Stretch};
use crate::domain::Instant;

/// So many items in a row that were looked at for nothing are worth a note.
const WORTH_A_NOTE: i64 = 64;

/// Items of a stretch, about: what is looked at anew when one of them has changed.
const FULL: i64 = 1024;

/// Rows of a page at most.
const PAGE: u32 = 1024;

/// Items in a row that cannot be chosen, as far as the walk has come.
#[derive(Clone, Copy, Debug)]
struct Run {
    stretch: Stretch,
    /// Items that no stretch has covered before.
    looked_at: i64,
}

impl Run {
    const fn after(from: Place) -> Self {
        let stretch = Stretch {
            of_bot: false,
            from,
            to: from,
            since: None,
            until: None,
            items: 0,
        };
        Self {
            stretch,
            looked_at: 0,
        }
    }

    fn goes_on(&mut self, part: &Stretch) {
        let whole = &mut self.stretch;
        whole.of_bot |= part.of_bot;
        whole.to = part.to;
        whole.since = whole.since.max(part.since);
        whole.until = [whole.until, part.until].into_iter().flatten().min();
        whole.items += part.items;
    }
}

/// One walk through one table. Ends with the end of the table, or when it has found or read enough.
#[derive(Debug)]
pub(in crate::store) struct Walker {
    order: Order,
    now: Instant,
    wanted: usize,
    /// Whose own uses are no obstacle; the items themselves are in `passed_by`.
    me: i64,
    /// Neither chosen nor in the way.
    passed_by: HashSet<i64>,
    /// Those that hold, the one that begins first last.
    ahead: Vec<Stretch>,
    /// Of those that have begun, the one that reaches farthest.
    reach: Option<Stretch>,
    at: Place,
    page: u32,
    /// Rows that it may read yet.
    left: usize,
    run: Option<Run>,
    found: Vec<i64>,
    new: Vec<Stretch>,
    has_stale: bool,
    done: bool,
}

impl Walker {
    /// At the beginning, with what earlier walks have found.
    pub(in crate::store) fn new(order: Order, now: Instant, stretches: &[Stretch]) -> Self {
        let mut ahead: Vec<Stretch> = stretches.iter().copied().filter(|s| s.holds(now)).collect();
        ahead.sort_by(|a, b| {
            let ranks = b.from.rank.total_cmp(&a.from.rank);
            ranks.then(b.from.key.cmp(&a.from.key))
        });
        Self {
            order,
            now,
            wanted: 0,
            me: 0,
            passed_by: HashSet::new(),
            ahead,
            reach: None,
            at: Place::START,
            page: 0,
            left: usize::MAX,
            run: None,
            found: Vec::new(),
            new: Vec::new(),
            has_stale: stretches.iter().any(|stretch| stretch.is_over(now)),
            done: false,
        }
    }

    /// Looks for so many items, for a run that may have used some of those that are not asked for.
    pub(in crate::store) fn wanting(
        mut self,
        wanted: u32,
        me: i64,
        passed_by: HashSet<i64>,
    ) -> Self {
        self.wanted = wanted as usize;
        self.me = me;
        self.passed_by = passed_by;
        self.page = self.first_page();
        self
    }

    /// Reads about so many rows at most, found or not.
    pub(in crate::store) const fn at_most(mut self, rows: usize) -> Self {
        self.left = rows;
        self
    }

    /// The rows to read next: those after a place, at most so many. `None` when the walk is over.
    pub(in crate::store) fn next(&self) -> Option<(Place, u32)> {
        (!self.done).then_some((self.at, self.page))
    }

    /// Goes past the rows that were read.
    pub(in crate::store) fn take(&mut self, rows: &[Passing]) {
        let before = self.found.len();
        for row in rows {
            let place = self.order.place(row.id, row.priority);
            if self.found.len() >= self.wanted {
                break;
            }
            if place > self.at && !self.leap(place) {
                self.at = place;
                self.step(row, place);
            }
        }
        self.left = self.left.saturating_sub(rows.len());
        let at_end = rows.len() < self.page as usize;
        self.done = at_end || self.left == 0 || self.found.len() >= self.wanted;
        if self.done {
            self.end_run();
        }
        self.leap_on();
        let last = rows
            .last()
            .map(|row| self.order.place(row.id, row.priority));
        let fruitless = self.found.len() == before && last == Some(self.at);
        self.page = if fruitless {
            self.page.saturating_mul(2).min(PAGE)
        } else {
            self.first_page()
        };
    }

    /// The items in their order, and the new stretches if there is anything to be written.
    pub(in crate::store) fn end(self) -> (Vec<i64>, Option<Vec<Stretch>>) {
        let worth = self.has_stale || !self.new.is_empty();
        (self.found, worth.then_some(self.new))
    }

    fn first_page(&self) -> u32 {
        let wanted = u32::try_from(self.wanted).unwrap_or(PAGE);
        wanted.saturating_add(16).min(PAGE)
    }

    /// Leaps to the end of a stretch that covers this place, if there is one.
    fn leap(&mut self, place: Place) -> bool {
        while let Some(next) = self.ahead.pop_if(|next| next.from < place) {
            if self.reach.is_none_or(|reach| next.to > reach.to) {
                self.reach = Some(next);
            }
        }
        match self.reach {
            Some(reach) if reach.to >= place => {
                self.at = reach.to;
                self.over(&reach);
                true
            }
            _ => false,
        }
    }

    /// Leaps over the stretches that begin right here.
    fn leap_on(&mut self) {
        while !self.done && self.leap(self.at.just_after()) {}
    }

    /// A stretch belongs to the run that it lies in, unless it is full.
    fn over(&mut self, stretch: &Stretch) {
        if stretch.items >= FULL {
            self.end_run();
            self.run = Some(Run::after(stretch.to));
            return;
        }
        let run = self.run.get_or_insert(Run::after(stretch.from));
        run.goes_on(stretch);
        self.close_if_full();
    }

    fn step(&mut self, row: &Passing, place: Place) {
        let Some(part) = self.obstacle(row, place) else {
            self.end_run();
            if !self.passed_by.contains(&row.id) {
                self.found.push(row.id);
            }
            return;
        };
        let run = self.run.get_or_insert(Run::after(part.from));
        run.goes_on(&part);
        run.looked_at += 1;
        self.close_if_full();
    }

    /// Why an item cannot be chosen, as a stretch of one.
    fn obstacle(&self, row: &Passing, place: Place) -> Option<Stretch> {
        let used = row.used_by.is_some_and(|run| run != self.me);
        let over = row.expires_at.filter(|end| *end <= self.now);
        let early = row.not_before.filter(|begin| *begin > self.now);
        let (since, until) = match (used, over) {
            (true, _) => (None, None),
            (false, Some(_)) => (over, None),
            (false, None) if early.is_some() => (None, early),
            (false, None) => return None,
        };
        Some(Stretch {
            of_bot: used,
            from: place.just_before(),
            to: place,
            since,
            until,
            items: 1,
        })
    }

    /// A full stretch is kept, and the next one begins where it ends.
    fn close_if_full(&mut self) {
        if let Some(run) = self.run.filter(|run| run.stretch.items >= FULL) {
            if run.looked_at > 0 {
                self.new.push(run.stretch);
            }
            self.run = Some(Run::after(run.stretch.to));
        }
    }

    fn end_run(&mut self) {
        if let Some(run) = self.run.take()
            && run.looked_at >= WORTH_A_NOTE
        {
            self.new.push(run.stretch);
        }
    }
}
