//! A batch of writes: what it needs is locked and read, it is carried out in memory, and what has changed is written.
//!
//! Lock order, the same in every transaction: a dead process's replica row, then states by `task_id`, then the lines of
//! destinations, then posts. A ledger row changes only under the lock of its bot's state.

use std::collections::{BTreeMap, HashMap};

use diesel::QueryResult;

use super::{
    connection::Connection,
    facts::Stored,
    load,
    needs::Needs,
    posts::Posts,
    rows::name,
    sheet::{Sheet, Tracked, Writer},
};
use crate::{
    domain::{
        bot::BotName,
        fact::Fact,
        run::{ExecutionId, ReplicaId},
    },
    store::{Write, Written},
};

/// The bots and posts of a batch.
pub(super) struct Batch {
    pub(super) writer: Writer,
    /// Its number, by which the server knows what became of it.
    pub(super) transaction: String,
    pub(super) post_ids: std::vec::IntoIter<i64>,
    pub(super) sheets: BTreeMap<BotName, Sheet>,
    pub(super) posts: Posts,
    pub(super) owners: HashMap<ExecutionId, BotName>,
    /// What it makes true, with the row that says so.
    pub(super) facts: Vec<(Option<ExecutionId>, Fact)>,
}

impl Batch {
    /// Locks and reads.
    pub(super) async fn load(
        connection: &mut Connection,
        me: ReplicaId,
        mut needs: Needs,
    ) -> QueryResult<Self> {
        let owners = load::owners(connection, &needs.rows).await?;
        needs.bots.extend(owners.values().cloned());
        let mut sheets = load::locked(connection, &needs.bots).await?;
        let mut rows = Vec::new();
        if !needs.rows.is_empty() {
            rows.append(&mut load::by_id(connection, &needs.rows).await?);
        }
        if !needs.open.is_empty() {
            rows.append(&mut load::open(connection, &needs.open).await?);
        }
        let places = needs.places(&owners, &rows);
        if !places.before.is_empty() {
            rows.append(&mut load::rows_before(connection, &places).await?);
        }
        if !places.newest.is_empty() {
            rows.append(&mut load::newest_rows(connection, &places).await?);
        }
        for row in rows {
            let sheet = sheets.entry(row.bot.clone()).or_default();
            sheet.rows.entry(row.id).or_insert(Tracked::stored(row));
        }
        for wish in load::wishes(connection, &needs.wishes).await? {
            let sheet = sheets.entry(name(&wish.task_id)?).or_default();
            sheet.wishes.insert(wish.event_key, ExecutionId(wish.id));
        }
        let posts = load::posts(connection, &needs).await?;
        let drawn = load::draw(connection, &needs).await?;
        Ok(Self {
            writer: Writer {
                me,
                now: drawn.now,
                ids: drawn.executions.into_iter(),
            },
            transaction: drawn.transaction,
            post_ids: drawn.posts.into_iter(),
            sheets,
            posts,
            owners,
            facts: Vec::new(),
        })
    }

    /// Carries out one write.
    pub(super) fn apply(&mut self, write: &Write) -> Written {
        let written = self.carry_out(write);
        if let Some(bot) = self.bot_of(write).cloned() {
            self.gather(&bot);
        }
        written
    }

    /// Takes what has been made true of a bot.
    pub(super) fn gather(&mut self, bot: &BotName) {
        let sheet = self.sheets.get_mut(bot);
        self.facts
            .extend(sheet.into_iter().flat_map(Sheet::take_facts));
    }

    /// Its answer, with what goes with it once it is committed.
    pub(super) fn stored<T>(self, answer: T) -> Stored<T> {
        Stored {
            answer,
            transaction: Some(self.transaction),
            facts: self.facts.into_iter().map(|(_, fact)| fact).collect(),
        }
    }

    fn bot_of<'a>(&'a self, write: &'a Write) -> Option<&'a BotName> {
        match write {
            Write::Register { state, .. } => Some(&state.bot),
            Write::Advance(advance) => Some(&advance.bot),
            Write::Start(start) => Some(&start.bot),
            Write::Finish(finish) => Some(&finish.bot),
            Write::Insert { bot, .. }
            | Write::RequestCancel { bot, .. }
            | Write::SetHold { bot, .. }
            | Write::ClearHold { bot, .. } => Some(bot),
            Write::Attempt { execution, .. }
            | Write::Decline { execution, .. }
            | Write::Release { execution } => self.owners.get(execution),
            Write::StorePost(_) | Write::MarkPost(_) => None,
        }
    }

    fn carry_out(&mut self, write: &Write) -> Written {
        let by = &mut self.writer;
        let sheets = &mut self.sheets;
        match write {
            Write::Register {
                expected,
                state,
                gaps,
                at,
            } => {
                let sheet = sheet(sheets, &state.bot);
                sheet.register(expected.as_deref(), state, gaps, *at, by)
            }
            Write::Advance(advance) => sheet(sheets, &advance.bot).advance(advance, by),
            Write::Start(start) => sheet(sheets, &start.bot).start(start, by),
            Write::Finish(finish) => sheet(sheets, &finish.bot).finish(finish, by),
            Write::Insert {
                bot,
                trigger,
                metadata,
                key,
            } => sheet(sheets, bot).insert_claim(bot, *trigger, metadata, key.as_deref(), by),
            Write::RequestCancel { bot, execution } => {
                sheet(sheets, bot).request_cancel(*execution)
            }
            Write::SetHold { bot, hold, replace } => sheet(sheets, bot).set_hold(hold, *replace),
            Write::ClearHold { bot, kind } => sheet(sheets, bot).clear_hold(*kind),
            Write::MarkPost(mark) => {
                self.posts.mark(mark);
                Written::Done
            }
            Write::Attempt { execution, .. }
            | Write::Decline { execution, .. }
            | Write::Release { execution } => self.apply_to_row(*execution, write),
            Write::StorePost(post) => self.apply_to_row(post.execution, write),
        }
    }

    /// Writes that name a row only; its bot was looked up.
    fn apply_to_row(&mut self, id: ExecutionId, write: &Write) -> Written {
        let by = &mut self.writer;
        let Some(sheet) = self
            .owners
            .get(&id)
            .and_then(|bot| self.sheets.get_mut(bot))
        else {
            return Written::Lost;
        };
        match write {
            Write::Attempt {
                attempt, metadata, ..
            } => sheet.attempt(id, *attempt, metadata, by),
            Write::Decline { gap, .. } => sheet.decline(id, *gap, by),
            Write::Release { .. } => sheet.release(id, by),
            Write::StorePost(post) if sheet.owns(post, by) && self.posts.is_taken(post) => {
                Written::ItemTaken
            }
            Write::StorePost(post) if sheet.may_post(post, by) => {
                match self.posts.store(post, &mut self.post_ids) {
                    Some(post) => Written::Post(Box::new(post)),
                    None => Written::Lost,
                }
            }
            _ => Written::Lost,
        }
    }
}

fn sheet<'a>(sheets: &'a mut BTreeMap<BotName, Sheet>, bot: &BotName) -> &'a mut Sheet {
    sheets.entry(bot.clone()).or_default()
}
