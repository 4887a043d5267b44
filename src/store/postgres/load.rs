//! The questions that a batch asks once its bots are locked, and the lock itself.

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
    rows::{EXECUTION, ExecutionRow, POST, PostRow, STATE, StateRow, WishRow, name},
    sheet::{Sheet, Tracked},
    uses,
};
use crate::{
    domain::{Instant, bot::BotName, run::ExecutionId},
    store::LedgerRow,
};

/// What the server gives to a batch.
#[derive(QueryableByName)]
pub(super) struct Drawn {
    #[diesel(sql_type = Timestamptz)]
    pub(super) now: Instant,
    #[diesel(sql_type = Text)]
    pub(super) transaction: String,
    #[diesel(sql_type = Array<BigInt>)]
    pub(super) executions: Vec<i64>,
    #[diesel(sql_type = Array<BigInt>)]
    pub(super) posts: Vec<i64>,
}

#[derive(QueryableByName)]
struct Owner {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    task_id: String,
}

pub(super) async fn owners(
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
    let read = |owner: Owner| Ok((ExecutionId(owner.id), name(&owner.task_id)?));
    owners.into_iter().map(read).collect()
}

pub(super) async fn locked(
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
        Ok((state.bot.clone(), Sheet::of(state)))
    };
    states.into_iter().map(sheet).collect()
}

pub(super) async fn by_id(
    connection: &mut Connection,
    rows: &[i64],
) -> QueryResult<Vec<LedgerRow>> {
    let sql = format!("SELECT {EXECUTION} FROM actor_server_executions e WHERE e.id = ANY($1)");
    let rows = sql_query(sql).bind::<Array<BigInt>, _>(rows);
    read(rows.load(connection).await?)
}

/// The rows that are open, and of each bot the run before them, which ended last.
pub(super) async fn open(
    connection: &mut Connection,
    bots: &BTreeSet<BotName>,
) -> QueryResult<Vec<LedgerRow>> {
    let sql = format!(
        "SELECT {EXECUTION} FROM actor_server_executions e WHERE e.status = 'running' AND e.task_id = ANY($1) \
         UNION ALL SELECT {EXECUTION} FROM unnest($1) AS b(task_id) CROSS JOIN LATERAL (SELECT * \
         FROM actor_server_executions x WHERE x.task_id = b.task_id AND x.status <> 'running' \
         AND x.started_at IS NOT NULL ORDER BY x.started_at DESC LIMIT 1) e"
    );
    let rows = sql_query(sql).bind::<Array<Text>, _>(names(bots));
    read(rows.load(connection).await?)
}

/// The rows that account for these slots, or for those before them.
pub(super) async fn rows_before(
    connection: &mut Connection,
    places: &Places,
) -> QueryResult<Vec<LedgerRow>> {
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

pub(super) async fn newest_rows(
    connection: &mut Connection,
    places: &Places,
) -> QueryResult<Vec<LedgerRow>> {
    let sql = format!(
        "SELECT {EXECUTION} FROM unnest($1) AS b(task_id) CROSS JOIN LATERAL (SELECT * FROM actor_server_executions x \
         WHERE x.task_id = b.task_id AND x.trigger = 'schedule' ORDER BY x.scheduled_for DESC LIMIT $2) e"
    );
    let rows = sql_query(sql)
        .bind::<Array<Text>, _>(names(&places.newest))
        .bind::<BigInt, _>(places.depth);
    read(rows.load(connection).await?)
}

/// The rows that these wishes made before.
pub(super) async fn wishes(
    connection: &mut Connection,
    wishes: &BTreeSet<(BotName, String)>,
) -> QueryResult<Vec<WishRow>> {
    if wishes.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<&str> = wishes.iter().map(|(_, key)| key.as_str()).collect();
    sql_query(
        "SELECT e.id, e.task_id, e.event_key FROM unnest($1, $2) AS w(task_id, event_key) \
         JOIN actor_server_executions e USING (task_id, event_key)",
    )
    .bind::<Array<Text>, _>(names(wishes.iter().map(|(bot, _)| bot)))
    .bind::<Array<Text>, _>(keys)
    .load(connection)
    .await
}

pub(super) async fn posts(connection: &mut Connection, needs: &Needs) -> QueryResult<Posts> {
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
    posts
        .users
        .extend(uses::stored(connection, &needs.items).await?);
    Ok(posts)
}

/// New numbers. Whoever stores a post keeps the line of its destination locked from before it gets its number until it is
/// committed: a later number is stored later, in whichever process.
pub(super) async fn draw(connection: &mut Connection, needs: &Needs) -> QueryResult<Drawn> {
    sql_query(
        "SELECT clock_timestamp() AS now, pg_current_xact_id()::text AS transaction, \
         ARRAY(SELECT nextval('actor_server_executions_id_seq') FROM generate_series(1, $1)) AS executions, \
         ARRAY(SELECT nextval('actor_server_posts_id_seq') FROM generate_series(1, $2 + 0 * lines.n)) AS posts \
         FROM (SELECT count(pg_advisory_xact_lock(line)::text) AS n FROM unnest($3) AS line) lines",
    )
    .bind::<BigInt, _>(needs.new_rows)
    .bind::<BigInt, _>(needs.new_posts)
    .bind::<Array<BigInt>, _>(needs.lines.iter().copied().collect::<Vec<_>>())
    .get_result(connection)
    .await
}

fn names<'a>(bots: impl IntoIterator<Item = &'a BotName>) -> Vec<&'a str> {
    bots.into_iter().map(BotName::as_str).collect()
}

fn read(rows: Vec<ExecutionRow>) -> QueryResult<Vec<LedgerRow>> {
    rows.into_iter().map(ExecutionRow::read).collect()
}
