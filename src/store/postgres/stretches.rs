//! What walks through knowledge tables have found out, kept and given up. Whoever changes a table, and whoever keeps what
//! was found out about it, holds the row with its revision until the end of the transaction.

use std::collections::{HashMap, HashSet};

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{Array, BigInt, Double, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use super::{
    choice,
    connection::Connection,
    flush::{MaybeTimes, column},
    rows::NumberRow,
};
use crate::{
    domain::{Instant, bot::BotName},
    store::walk::{A_LOOK, Changed, Note, Order, Place, Stretch, Walker},
};

/// What is known of a table, for one bot.
#[derive(Default)]
pub(super) struct Seen {
    revision: i64,
    by_priority: Vec<Stretch>,
    by_age: Vec<Stretch>,
}

impl Seen {
    pub(super) fn of(&self, order: Order) -> &[Stretch] {
        match order {
            Order::Priority => &self.by_priority,
            Order::Age => &self.by_age,
        }
    }

    /// What a walk has added to it.
    pub(super) fn note(
        &self,
        table: &str,
        order: Order,
        stretches: Vec<Stretch>,
        now: Instant,
    ) -> Note {
        Note {
            table: table.to_owned(),
            order,
            revision: self.revision,
            stretches,
            now,
        }
    }
}

/// A table's revision, and a stretch of it if there is one.
#[derive(QueryableByName)]
struct SeenRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = BigInt)]
    revision: i64,
    #[diesel(sql_type = Nullable<Text>)]
    task_id: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    walk: Option<i32>,
    #[diesel(sql_type = Nullable<Double>)]
    from_rank: Option<f64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    from_key: Option<i64>,
    #[diesel(sql_type = Nullable<Double>)]
    to_rank: Option<f64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    to_key: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    since: Option<Instant>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    until: Option<Instant>,
    #[diesel(sql_type = Nullable<BigInt>)]
    items: Option<i64>,
}

impl SeenRow {
    fn stretch(&self) -> Option<Stretch> {
        let place = |rank: Option<f64>, key: Option<i64>| {
            let (rank, key) = (rank?, key?);
            Some(Place { rank, key })
        };
        Some(Stretch {
            of_bot: !self.task_id.as_ref()?.is_empty(),
            from: place(self.from_rank, self.from_key)?,
            to: place(self.to_rank, self.to_key)?,
            since: self.since,
            until: self.until,
            items: self.items?,
        })
    }
}

/// What is known of these tables: the stretches that hold for all, and those that hold for this bot.
pub(super) async fn of(
    connection: &mut Connection,
    tables: &[&String],
    bot: &str,
) -> QueryResult<HashMap<String, Seen>> {
    let rows: Vec<SeenRow> = sql_query(
        "SELECT t.table_name, t.revision, s.task_id, s.walk, s.from_rank, s.from_key, s.to_rank, s.to_key, s.since, \
         s.until, s.items FROM actor_server_content_tables t LEFT JOIN actor_server_content_stretches s \
         ON s.table_name = t.table_name AND s.task_id IN ('', $2) WHERE t.table_name = ANY($1)",
    )
    .bind::<Array<Text>, _>(tables)
    .bind::<Text, _>(bot)
    .load(connection)
    .await?;
    let mut all: HashMap<String, Seen> = HashMap::new();
    for row in rows {
        let (stretch, walk) = (row.stretch(), row.walk);
        let seen = all.entry(row.table_name).or_default();
        seen.revision = row.revision;
        let by_age = walk == Some(Order::Age.number());
        let of_order = if by_age {
            &mut seen.by_age
        } else {
            &mut seen.by_priority
        };
        of_order.extend(stretch);
    }
    Ok(all)
}

/// Keeps what a choice has found out, unless its table has changed since.
pub(super) async fn keep(
    connection: &mut Connection,
    bot: BotName,
    mut notes: Vec<Note>,
) -> QueryResult<()> {
    notes.sort_by(|a, b| a.table.cmp(&b.table));
    for note in &notes {
        if held(connection, &note.table, 0).await? == note.revision {
            keep_one(connection, bot.as_str(), note).await?;
        }
    }
    Ok(())
}

/// Holds the table's row; answers its revision, raised by so much.
async fn held(connection: &mut Connection, table: &str, more: i64) -> QueryResult<i64> {
    let row: NumberRow = sql_query(
        "INSERT INTO actor_server_content_tables AS t (table_name, revision) VALUES ($1, $2) \
         ON CONFLICT (table_name) DO UPDATE SET revision = t.revision + $2 RETURNING revision AS value",
    )
    .bind::<Text, _>(table)
    .bind::<BigInt, _>(more)
    .get_result(connection)
    .await?;
    Ok(row.value)
}

async fn keep_one(connection: &mut Connection, bot: &str, note: &Note) -> QueryResult<()> {
    sql_query(
        "DELETE FROM actor_server_content_stretches WHERE table_name = $1 AND task_id IN ('', $2) AND walk = $3 \
         AND until <= $4",
    )
    .bind::<Text, _>(&note.table)
    .bind::<Text, _>(bot)
    .bind::<Integer, _>(note.order.number())
    .bind::<Timestamptz, _>(note.now)
    .execute(connection)
    .await?;
    for of_bot in [false, true] {
        let whose = if of_bot { bot } else { "" };
        let new = note.stretches.iter().filter(|new| new.of_bot == of_bot);
        let new: Vec<&Stretch> = new.collect();
        if !new.is_empty() {
            let ranges: Vec<_> = new.iter().map(|new| (new.from, new.to)).collect();
            delete(connection, &note.table, Some(whose), note.order, &ranges).await?;
            insert(connection, whose, note, &new).await?;
        }
    }
    Ok(())
}

async fn insert(
    connection: &mut Connection,
    whose: &str,
    note: &Note,
    new: &[&Stretch],
) -> QueryResult<()> {
    sql_query(
        "INSERT INTO actor_server_content_stretches (table_name, task_id, walk, from_rank, from_key, to_rank, to_key, \
         since, until, items) SELECT $1, $2, $3, u.* FROM unnest($4, $5, $6, $7, $8, $9, $10) AS u",
    )
    .bind::<Text, _>(&note.table)
    .bind::<Text, _>(whose)
    .bind::<Integer, _>(note.order.number())
    .bind::<Array<Double>, _>(column(new, |s| s.from.rank))
    .bind::<Array<BigInt>, _>(column(new, |s| s.from.key))
    .bind::<Array<Double>, _>(column(new, |s| s.to.rank))
    .bind::<Array<BigInt>, _>(column(new, |s| s.to.key))
    .bind::<MaybeTimes, _>(column(new, |s| s.since))
    .bind::<MaybeTimes, _>(column(new, |s| s.until))
    .bind::<Array<BigInt>, _>(column(new, |s| s.items))
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes the stretches that end after the beginning of a range and begin before its end; of all bots, or those of one.
async fn delete(
    connection: &mut Connection,
    table: &str,
    whose: Option<&str>,
    order: Order,
    ranges: &[(Place, Place)],
) -> QueryResult<()> {
    sql_query(
        "DELETE FROM actor_server_content_stretches s USING unnest($4, $5, $6, $7) AS r(a_rank, a_key, b_rank, b_key) \
         WHERE s.table_name = $1 AND ($2::text IS NULL OR s.task_id = $2) AND s.walk = $3 \
         AND (s.to_rank, s.to_key) > (r.a_rank, r.a_key) AND (s.from_rank, s.from_key) < (r.b_rank, r.b_key)",
    )
    .bind::<Text, _>(table)
    .bind::<Nullable<Text>, _>(whose)
    .bind::<Integer, _>(order.number())
    .bind::<Array<Double>, _>(column(ranges, |(from, _)| from.rank))
    .bind::<Array<BigInt>, _>(column(ranges, |(from, _)| from.key))
    .bind::<Array<Double>, _>(column(ranges, |(_, to)| to.rank))
    .bind::<Array<BigInt>, _>(column(ranges, |(_, to)| to.key))
    .execute(connection)
    .await
    .map(drop)
}

/// Says that something may be there to be chosen which was not, and holds the table's row: two that do so wait for each
/// other. Answers whether anything is known that could be wrong now.
pub(super) async fn raise(connection: &mut Connection, table: &str) -> QueryResult<bool> {
    held(connection, table, 1).await?;
    let known: Vec<NumberRow> = sql_query(
        "SELECT items AS value FROM actor_server_content_stretches WHERE table_name = $1 LIMIT 1",
    )
    .bind::<Text, _>(table)
    .load(connection)
    .await?;
    Ok(!known.is_empty())
}

/// Gives up what is known of the places that have changed.
pub(super) async fn give_up(
    connection: &mut Connection,
    table: &str,
    changed: &Changed,
) -> QueryResult<()> {
    for order in Order::ALL {
        let ranges = changed.ranges(order).into_iter();
        let ranges: Vec<_> = ranges
            .map(|(first, last)| (first.just_before(), last))
            .collect();
        if !ranges.is_empty() {
            delete(connection, table, None, order, &ranges).await?;
        }
    }
    Ok(())
}

/// Looks where a choice would begin, at so many rows at most: so that the first one finds the way through what is over or not
/// to be posted yet.
pub(super) async fn look(
    connection: &mut Connection,
    table: &String,
    now: Instant,
    rows: usize,
) -> QueryResult<()> {
    choice::in_index_order(connection).await?;
    let seen = of(connection, &[table], "").await?;
    for order in Order::ALL {
        let Some(seen) = seen.get(table) else {
            continue;
        };
        let walker = Walker::new(order, now, seen.of(order)).at_most(rows);
        let walker = walker.wanting(A_LOOK, 0, HashSet::new());
        if let (_, Some(new)) = choice::go(connection, table, "", order, walker).await? {
            keep_one(connection, "", &seen.note(table, order, new, now)).await?;
        }
    }
    Ok(())
}

/// Gives up all that is known of a table.
pub(super) async fn forget(connection: &mut Connection, table: &str) -> QueryResult<()> {
    sql_query("DELETE FROM actor_server_content_stretches WHERE table_name = $1")
        .bind::<Text, _>(table)
        .execute(connection)
        .await
        .map(drop)
}
