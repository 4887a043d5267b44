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
    needs::{Needs, Places},
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
    /// Its number, by which the server knows what became of it.
    pub(super) transaction: String,
    pub(super) post_ids: std::vec::IntoIter<i64>,
    pub(super) sheets: BTreeMap<BotName, Sheet>,
    pub(super) posts: Posts,
    pub(super) owners: HashMap<ExecutionId, BotName>,
}

#[derive(QueryableByName)]
struct Drawn {
    #[diesel(sql_type = Timestamptz)]
    now: Instant,
    #[diesel(sql_type = Text)]
    transaction: String,
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
        let places = needs.places(&owners, &rows);
        if !places.before.is_empty() {
            rows.append(&mut rows_before(connection, &places).await?);
        }
        if !places.newest.is_empty() {
            rows.append(&mut newest_rows(connection, &places).await?);
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
            transaction: drawn.transaction,
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
            } => sheet(sheets, bot).insert_claim(bot, *trigger, metadata, by),
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

/// The rows that account for these slots, or for those before them.
async fn rows_before(connection: &mut Connection, places: &Places) -> QueryResult<Vec<LedgerRow>> {
    let sql = format!(
        "SELECT {EXECUTION} FROM unnest($1, $2) AS b(task_id, slot) CROSS JOIN LATERAL (SELECT * \
         FROM actor_server_executions x WHERE x.task_id = b.task_id AND x.trigger = 'schedule' \
         AND x.scheduled_for <= b.slot ORDER BY x.scheduled_for DESC LIMIT $3) e"
    );
    let rows = sql_query(sql)
        .bind::<Array<Text>, _>(names(places.before.iter().map(|(bot, _)| bot)))
        .bind::<Array<Timestamptz>, _>(
            places
                .before
                .iter()
                .map(|(_, slot)| *slot)
                .collect::<Vec<_>>(),
        )
        .bind::<BigInt, _>(places.depth);
    read(rows.load(connection).await?)
}

async fn newest_rows(connection: &mut Connection, places: &Places) -> QueryResult<Vec<LedgerRow>> {
    let sql = format!(
        "SELECT {EXECUTION} FROM unnest($1) AS b(task_id) CROSS JOIN LATERAL (SELECT * FROM actor_server_executions x \
         WHERE x.task_id = b.task_id AND x.trigger = 'schedule' ORDER BY x.scheduled_for DESC LIMIT $2) e"
    );
    let rows = sql_query(sql)
        .bind::<Array<Text>, _>(names(&places.newest))
        .bind::<BigInt, _>(places.depth);
    read(rows.load(connection).await?)
}

async fn posts(connection: &mut Connection, needs: &Needs) -> QueryResult<Posts> {
    let mut posts = Posts::default();
    if needs.posts.is_empty() {
        return Ok(posts);
    }
    let sql = format!(
        "SELECT {POST} FROM actor_server_posts p JOIN unnest($1, $2) AS u(execution, place) \
         ON p.execution_id = u.execution AND p.\"position\" = u.place"
    );
    let (executions, places): (Vec<i64>, Vec<i32>) = needs.posts.iter().copied().unzip();
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
        "SELECT clock_timestamp() AS now, pg_current_xact_id()::text AS transaction, \
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
