//! A batch of writes: what it needs is locked and read, it is carried out in memory, and what has changed is written.
//!
//! Lock order, the same in every transaction: a dead process's replica row, then states by `task_id`, then posts. A
//! ledger row changes only under the lock of its bot's state.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{Array, BigInt, Integer, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use super::{
    connection::Connection,
    posts::Posts,
    rows::{EXECUTION, ExecutionRow, POST, PostRow, STATE, StateRow},
    sheet::{Sheet, Tracked, Writer},
};
use crate::{
    domain::{
        Instant,
        bot::BotName,
        run::{ExecutionId, ReplicaId},
    },
    store::{LedgerRow, Write, Written},
};

/// The bots and posts of a batch.
pub(super) struct Batch {
    pub(super) writer: Writer,
    pub(super) post_ids: std::vec::IntoIter<i64>,
    pub(super) sheets: BTreeMap<BotName, Sheet>,
    pub(super) posts: Posts,
    pub(super) owners: HashMap<ExecutionId, BotName>,
}

/// What a batch will touch.
#[derive(Default)]
pub(super) struct Needs {
    pub(super) bots: BTreeSet<BotName>,
    pub(super) rows: Vec<i64>,
    /// Bots whose open runs count.
    pub(super) open: BTreeSet<BotName>,
    /// Bots whose newest slots count; `None` for "whoever owns the rows".
    newest: BTreeMap<BotName, i64>,
    newest_of_rows: bool,
    new_rows: i64,
    new_posts: i64,
    places: Vec<(i64, i32)>,
    marks: Vec<i64>,
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
            newest: bots.iter().map(|bot| (bot.clone(), 1)).collect(),
            bots,
            ..Self::default()
        }
    }

    /// One arm for each kind of write.
    fn add(&mut self, write: &Write) {
        match write {
            Write::Register { state, gaps, .. } => self.slots(&state.bot, gaps.len()),
            Write::Advance(advance) => {
                let rows = advance.gaps.len() + usize::from(advance.claim.is_some());
                self.slots(&advance.bot, rows);
            }
            Write::Start(start) => {
                self.row(start.execution);
                self.bots.insert(start.bot.clone());
                if start.exclusive {
                    self.open.insert(start.bot.clone());
                }
            }
            Write::Attempt { execution, .. } => self.row(*execution),
            Write::Decline { execution, .. } | Write::Release { execution } => {
                self.row(*execution);
                self.newest_of_rows = true;
            }
            Write::Finish(finish) => {
                self.row(finish.execution);
                self.bots.insert(finish.bot.clone());
            }
            Write::Insert { bot, .. } => {
                self.bots.insert(bot.clone());
                self.new_rows += 1;
            }
            Write::StorePost(post) => {
                self.row(post.execution);
                self.places.push((post.execution.0, post.position));
                self.new_posts += 1;
            }
            Write::MarkPost(mark) => self.marks.push(mark.id),
            Write::SetHold { bot, .. } | Write::ClearHold { bot, .. } => {
                self.bots.insert(bot.clone());
            }
            Write::CloseRuns { bot, .. } => {
                self.open.insert(bot.clone());
                self.slots(bot, 0);
            }
        }
    }

    fn row(&mut self, id: ExecutionId) {
        self.rows.push(id.0);
    }

    fn slots(&mut self, bot: &BotName, rows: usize) {
        self.bots.insert(bot.clone());
        *self.newest.entry(bot.clone()).or_default() += 1;
        self.new_rows += i64::try_from(rows).unwrap_or(i64::MAX);
    }
}

#[derive(QueryableByName)]
struct Drawn {
    #[diesel(sql_type = Timestamptz)]
    now: Instant,
    #[diesel(sql_type = Array<BigInt>)]
    executions: Vec<i64>,
    #[diesel(sql_type = Array<BigInt>)]
    posts: Vec<i64>,
}

#[derive(QueryableByName)]
struct Owner {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    task_id: String,
}

impl Batch {
    /// Locks and reads.
    pub(super) async fn load(
        connection: &mut Connection,
        me: ReplicaId,
        mut needs: Needs,
    ) -> QueryResult<Self> {
        let owners = owners(connection, &needs.rows).await?;
        needs.bots.extend(owners.values().cloned());
        let mut sheets = locked(connection, &needs.bots).await?;
        let mut rows = Vec::new();
        if !needs.rows.is_empty() {
            rows.append(&mut by_id(connection, &needs.rows).await?);
        }
        if !needs.open.is_empty() {
            rows.append(&mut open(connection, &needs.open).await?);
        }
        let newest = needs.newest(&owners);
        if !newest.is_empty() {
            rows.append(&mut newest_rows(connection, &newest).await?);
        }
        for row in rows {
            let sheet = sheets.entry(row.bot.clone()).or_default();
            sheet.rows.entry(row.id).or_insert(Tracked::stored(row));
        }
        let posts = posts(connection, &needs).await?;
        let drawn = draw(connection, &needs).await?;
        Ok(Self {
            writer: Writer {
                me,
                now: drawn.now,
                ids: drawn.executions.into_iter(),
            },
            post_ids: drawn.posts.into_iter(),
            sheets,
            posts,
            owners,
        })
    }

    /// Carries out one write.
    pub(super) fn apply(&mut self, write: &Write) -> Written {
        let by = &mut self.writer;
        let sheets = &mut self.sheets;
        match write {
            Write::Register {
                expected,
                state,
                gaps,
            } => sheet(sheets, &state.bot).register(expected.as_deref(), state, gaps, by),
            Write::Advance(advance) => sheet(sheets, &advance.bot).advance(advance, by),
            Write::Start(start) => sheet(sheets, &start.bot).start(start, by),
            Write::Finish(finish) => sheet(sheets, &finish.bot).finish(finish, by),
            Write::Insert {
                bot,
                trigger,
                metadata,
            } => sheet(sheets, bot).insert_claim(*trigger, metadata, by),
            Write::SetHold { bot, hold, replace } => sheet(sheets, bot).set_hold(hold, *replace),
            Write::ClearHold { bot, kind } => sheet(sheets, bot).clear_hold(*kind),
            Write::CloseRuns {
                bot,
                status,
                error,
                at,
            } => sheet(sheets, bot).close_runs(*status, error, *at, by),
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

impl Needs {
    /// How many of whose newest slots are needed: one more than a batch can take away.
    fn newest(&self, owners: &HashMap<ExecutionId, BotName>) -> BTreeMap<BotName, i64> {
        let mut newest = self.newest.clone();
        if self.newest_of_rows {
            for bot in owners.values() {
                *newest.entry(bot.clone()).or_default() += 1;
            }
        }
        newest
    }
}

async fn owners(
    connection: &mut Connection,
    rows: &[i64],
) -> QueryResult<HashMap<ExecutionId, BotName>> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let owners: Vec<Owner> =
        sql_query("SELECT id, task_id FROM actor_server_executions WHERE id = ANY($1)")
            .bind::<Array<BigInt>, _>(rows)
            .load(connection)
            .await?;
    let read = |owner: Owner| Ok((ExecutionId(owner.id), super::rows::name(&owner.task_id)?));
    owners.into_iter().map(read).collect()
}

async fn locked(
    connection: &mut Connection,
    bots: &BTreeSet<BotName>,
) -> QueryResult<BTreeMap<BotName, Sheet>> {
    if bots.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT {STATE} FROM actor_server_state s WHERE s.task_id = ANY($1) ORDER BY s.task_id FOR UPDATE"
    );
    let states: Vec<StateRow> = sql_query(sql)
        .bind::<Array<Text>, _>(names(bots))
        .load(connection)
        .await?;
    let sheet = |row: StateRow| {
        let state = row.read()?;
        let sheet = Sheet {
            state: Some(Tracked::stored(state.clone())),
            ..Sheet::default()
        };
        Ok((state.bot, sheet))
    };
    states.into_iter().map(sheet).collect()
}

async fn by_id(connection: &mut Connection, rows: &[i64]) -> QueryResult<Vec<LedgerRow>> {
    let sql = format!("SELECT {EXECUTION} FROM actor_server_executions e WHERE e.id = ANY($1)");
    let rows = sql_query(sql).bind::<Array<BigInt>, _>(rows);
    read(rows.load(connection).await?)
}

async fn open(
    connection: &mut Connection,
    bots: &BTreeSet<BotName>,
) -> QueryResult<Vec<LedgerRow>> {
    let sql = format!(
        "SELECT {EXECUTION} FROM actor_server_executions e WHERE e.status = 'running' AND e.task_id = ANY($1)"
    );
    let rows = sql_query(sql).bind::<Array<Text>, _>(names(bots));
    read(rows.load(connection).await?)
}

async fn newest_rows(
    connection: &mut Connection,
    bots: &BTreeMap<BotName, i64>,
) -> QueryResult<Vec<LedgerRow>> {
    let sql = format!(
        "SELECT {EXECUTION} FROM unnest($1) AS b(task_id) CROSS JOIN LATERAL (SELECT * FROM actor_server_executions x \
         WHERE x.task_id = b.task_id AND x.trigger = 'schedule' ORDER BY x.scheduled_for DESC LIMIT $2) e"
    );
    let limit = bots.values().copied().max().unwrap_or(0) + 1;
    let rows = sql_query(sql)
        .bind::<Array<Text>, _>(names(bots.keys()))
        .bind::<BigInt, _>(limit);
    read(rows.load(connection).await?)
}

async fn posts(connection: &mut Connection, needs: &Needs) -> QueryResult<Posts> {
    let mut posts = Posts::default();
    if needs.places.is_empty() {
        return Ok(posts);
    }
    let sql = format!(
        "SELECT {POST} FROM actor_server_posts p JOIN unnest($1, $2) AS u(execution, place) \
         ON p.execution_id = u.execution AND p.\"position\" = u.place"
    );
    let (executions, places): (Vec<i64>, Vec<i32>) = needs.places.iter().copied().unzip();
    let stored: Vec<PostRow> = sql_query(sql)
        .bind::<Array<BigInt>, _>(executions)
        .bind::<Array<Integer>, _>(places)
        .load(connection)
        .await?;
    for row in stored {
        let post = row.read()?;
        posts
            .by_place
            .insert((post.execution, post.position), Tracked::stored(post));
    }
    Ok(posts)
}

async fn draw(connection: &mut Connection, needs: &Needs) -> QueryResult<Drawn> {
    sql_query(
        "SELECT clock_timestamp() AS now, \
         ARRAY(SELECT nextval('actor_server_executions_id_seq') FROM generate_series(1, $1)) AS executions, \
         ARRAY(SELECT nextval('actor_server_posts_id_seq') FROM generate_series(1, $2)) AS posts",
    )
    .bind::<BigInt, _>(needs.new_rows)
    .bind::<BigInt, _>(needs.new_posts)
    .get_result(connection)
    .await
}

fn names<'a>(bots: impl IntoIterator<Item = &'a BotName>) -> Vec<&'a str> {
    bots.into_iter().map(BotName::as_str).collect()
}

fn read(rows: Vec<ExecutionRow>) -> QueryResult<Vec<LedgerRow>> {
    rows.into_iter().map(ExecutionRow::read).collect()
}
