//! What walks through knowledge tables have found out, kept and given up.

use std::collections::HashSet;

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool, Double, Integer, Nullable, Text},
    sqlite::Sqlite,
};

use super::{
    choice,
    fault::Fault,
    fixed::Fixed,
    time::{Time, read, stored},
};
use crate::{
    domain::Instant,
    store::walk::{A_LOOK, Changed, Note, Order, Place, Stretch, Walker},
};

/// What is known of a table, in one order and for one bot.
pub(super) struct Seen {
    pub(super) revision: i64,
    pub(super) stretches: Vec<Stretch>,
}

#[derive(QueryableByName)]
struct Revision {
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct StretchRow {
    #[diesel(sql_type = Bool)]
    of_bot: bool,
    #[diesel(sql_type = Double)]
    from_rank: f64,
    #[diesel(sql_type = BigInt)]
    from_key: i64,
    #[diesel(sql_type = Double)]
    to_rank: f64,
    #[diesel(sql_type = BigInt)]
    to_key: i64,
    #[diesel(sql_type = Nullable<Text>)]
    since: Option<Time>,
    #[diesel(sql_type = Nullable<Text>)]
    until: Option<Time>,
    #[diesel(sql_type = BigInt)]
    items: i64,
}

impl From<StretchRow> for Stretch {
    fn from(row: StretchRow) -> Self {
        let place = |rank, key| Place { rank, key };
        Self {
            of_bot: row.of_bot,
            from: place(row.from_rank, row.from_key),
            to: place(row.to_rank, row.to_key),
            since: read(row.since),
            until: read(row.until),
            items: row.items,
        }
    }
}

/// The stretches that hold for all, and those that hold for this bot.
pub(super) fn of(
    conn: &mut SqliteConnection,
    table: &str,
    bot: &str,
    order: Order,
) -> Result<Seen, Fault> {
    let asked = sql_query(
        "SELECT task_id <> '' AS of_bot, from_rank, from_key, to_rank, to_key, since, until, items \
         FROM actor_server_content_stretches WHERE table_name = ? AND task_id IN ('', ?) AND walk = ?",
    )
    .bind::<Text, _>(table)
    .bind::<Text, _>(bot)
    .bind::<Integer, _>(order.number());
    let rows: Vec<StretchRow> = Fixed(asked).load(conn)?;
    Ok(Seen {
        revision: revision(conn, table)?,
        stretches: rows.into_iter().map(Stretch::from).collect(),
    })
}

fn revision(conn: &mut SqliteConnection, table: &str) -> Result<i64, Fault> {
    let asked = sql_query("SELECT revision FROM actor_server_content_tables WHERE table_name = ?")
        .bind::<Text, _>(table);
    let stored: Option<Revision> = Fixed(asked).get_result(conn).optional()?;
    Ok(stored.map_or(0, |row| row.revision))
}

/// Keeps what a choice has found out, unless its table has changed since.
pub(super) fn keep(conn: &mut SqliteConnection, bot: &str, notes: &[Note]) -> Result<(), Fault> {
    for note in notes {
        if revision(conn, &note.table)? == note.revision {
            keep_one(conn, bot, note)?;
        }
    }
    Ok(())
}

fn keep_one(conn: &mut SqliteConnection, bot: &str, note: &Note) -> Result<(), Fault> {
    sql_query(
        "DELETE FROM actor_server_content_stretches WHERE table_name = ? AND task_id IN ('', ?) AND walk = ? AND until <= ?",
    )
    .bind::<Text, _>(&note.table)
    .bind::<Text, _>(bot)
    .bind::<Integer, _>(note.order.number())
    .bind::<Text, _>(Time(note.now))
    .execute(conn)?;
    for stretch in &note.stretches {
        let whose = if stretch.of_bot { bot } else { "" };
        delete(
            conn,
            &note.table,
            Some(whose),
            note.order,
            stretch.from,
            stretch.to,
        )?;
        insert(conn, whose, note, stretch)?;
    }
    Ok(())
}

fn insert(
    conn: &mut SqliteConnection,
    whose: &str,
    note: &Note,
    stretch: &Stretch,
) -> Result<(), Fault> {
    sql_query(
        "INSERT INTO actor_server_content_stretches (table_name, task_id, walk, from_rank, from_key, to_rank, to_key, \
         since, until, items) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind::<Text, _>(&note.table)
    .bind::<Text, _>(whose)
    .bind::<Integer, _>(note.order.number())
    .bind::<Double, _>(stretch.from.rank)
    .bind::<BigInt, _>(stretch.from.key)
    .bind::<Double, _>(stretch.to.rank)
    .bind::<BigInt, _>(stretch.to.key)
    .bind::<Nullable<Text>, _>(stored(stretch.since))
    .bind::<Nullable<Text>, _>(stored(stretch.until))
    .bind::<BigInt, _>(stretch.items)
    .execute(conn)?;
    Ok(())
}

/// Deletes the stretches that end after `from` and begin before `to`; of all bots, or those of one.
fn delete(
    conn: &mut SqliteConnection,
    table: &str,
    whose: Option<&str>,
    order: Order,
    from: Place,
    to: Place,
) -> Result<(), Fault> {
    sql_query(
        "DELETE FROM actor_server_content_stretches WHERE table_name = ?1 AND (?2 IS NULL OR task_id = ?2) AND walk = ?3 \
         AND (to_rank, to_key) > (?4, ?5) AND (from_rank, from_key) < (?6, ?7)",
    )
    .bind::<Text, _>(table)
    .bind::<Nullable<Text>, _>(whose)
    .bind::<Integer, _>(order.number())
    .bind::<Double, _>(from.rank)
    .bind::<BigInt, _>(from.key)
    .bind::<Double, _>(to.rank)
    .bind::<BigInt, _>(to.key)
    .execute(conn)?;
    Ok(())
}

/// Says that something may be there to be chosen which was not. Answers whether anything is known that could be wrong now.
pub(super) fn raise(conn: &mut SqliteConnection, table: &str) -> Result<bool, Fault> {
    sql_query(
        "INSERT INTO actor_server_content_tables (table_name, revision) VALUES (?, 1) \
         ON CONFLICT (table_name) DO UPDATE SET revision = revision + 1",
    )
    .bind::<Text, _>(table)
    .execute(conn)?;
    let known: Option<Revision> = sql_query(
        "SELECT items AS revision FROM actor_server_content_stretches WHERE table_name = ? LIMIT 1",
    )
    .bind::<Text, _>(table)
    .get_result(conn)
    .optional()?;
    Ok(known.is_some())
}

/// Gives up what is known of the places that have changed.
pub(super) fn give_up(
    conn: &mut SqliteConnection,
    table: &str,
    changed: &Changed,
) -> Result<(), Fault> {
    for order in Order::ALL {
        for (first, last) in changed.ranges(order) {
            delete(conn, table, None, order, first.just_before(), last)?;
        }
    }
    Ok(())
}

/// Looks where a choice would begin, at so many rows at most: so that the first one finds the way through what is over or not
/// to be posted yet.
pub(super) fn look(
    conn: &mut SqliteConnection,
    table: &str,
    now: Instant,
    rows: usize,
) -> Result<(), Fault> {
    for order in Order::ALL {
        let seen = of(conn, table, "", order)?;
        let walker = Walker::new(order, now, &seen.stretches).at_most(rows);
        let walker = walker.wanting(A_LOOK, 0, HashSet::new());
        if let (_, Some(stretches)) = choice::go(conn, table, "", order, walker)? {
            let note = Note {
                table: table.to_owned(),
                order,
                revision: seen.revision,
                stretches,
                now,
            };
            keep_one(conn, "", &note)?;
        }
    }
    Ok(())
}

/// Gives up all that is known of a table.
pub(super) fn forget(conn: &mut SqliteConnection, table: &str) -> Result<(), Fault> {
    sql_query("DELETE FROM actor_server_content_stretches WHERE table_name = ?")
        .bind::<Text, _>(table)
        .execute(conn)?;
    Ok(())
}

/// An item is free again for a bot: gives up what is known of its place.
pub(super) fn freed(conn: &mut SqliteConnection, item: i64) -> Result<(), Fault> {
    let place: Option<FreedRow> =
        sql_query("SELECT table_name, priority FROM actor_server_content WHERE id = ?")
            .bind::<BigInt, _>(item)
            .get_result(conn)
            .optional()?;
    if let Some(row) = place
        && raise(conn, &row.table_name)?
    {
        give_up(
            conn,
            &row.table_name,
            &Changed::Here(vec![(item, row.priority)]),
        )?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct FreedRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Double)]
    priority: f64,
}
