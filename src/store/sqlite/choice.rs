//! What a bot may choose from: walks through its knowledge tables, in the order of priority and in that of age.

use std::collections::HashSet;

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Double, Nullable, Text},
    sqlite::Sqlite,
};

use super::{
    fault::Fault,
    fixed::Fixed,
    rows::content::ContentRow,
    stretches,
    time::{Time, read},
};
use crate::{
    domain::content::{Selection, StoredItem},
    store::walk::{self, Note, Order, Passing, Place, Stretch, Walker},
};

/// The items after a place of the order by priority: what is left of its own priority, and those below it.
pub(super) const BY_PRIORITY: &str = "SELECT * FROM (SELECT c.id, c.priority, c.not_before, c.expires_at, \
     (SELECT u.execution_id FROM actor_server_content_uses u WHERE u.task_id = ?1 AND u.content_id = c.id) AS used_by \
     FROM actor_server_content c INDEXED BY actor_server_content_by_priority \
     WHERE c.table_name = ?2 AND c.priority = ?3 AND c.id > ?4 ORDER BY c.id LIMIT ?5) \
     UNION ALL SELECT * FROM (SELECT c.id, c.priority, c.not_before, c.expires_at, \
     (SELECT u.execution_id FROM actor_server_content_uses u WHERE u.task_id = ?1 AND u.content_id = c.id) AS used_by \
     FROM actor_server_content c INDEXED BY actor_server_content_by_priority \
     WHERE c.table_name = ?2 AND c.priority < ?3 ORDER BY c.priority DESC, c.id LIMIT ?5)";

/// The items after a place of the order by age, in which the priority says nothing.
pub(super) const BY_AGE: &str = "SELECT c.id, 0.0 AS priority, c.not_before, c.expires_at, \
     (SELECT u.execution_id FROM actor_server_content_uses u WHERE u.task_id = ?1 AND u.content_id = c.id) AS used_by \
     FROM actor_server_content c INDEXED BY actor_server_content_by_id \
     WHERE c.table_name = ?2 AND c.id < ?3 ORDER BY c.id DESC LIMIT ?4";

/// What this run has used itself; the first one first.
const OWN: &str = "SELECT p.content_id AS id FROM actor_server_posts p \
     JOIN actor_server_content_uses u ON u.task_id = p.task_id AND u.content_id = p.content_id \
     AND u.execution_id = p.execution_id WHERE p.execution_id = ? AND p.task_id = ? ORDER BY p.position";

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct PassingRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Double)]
    priority: f64,
    #[diesel(sql_type = Nullable<Text>)]
    not_before: Option<Time>,
    #[diesel(sql_type = Nullable<Text>)]
    expires_at: Option<Time>,
    #[diesel(sql_type = Nullable<BigInt>)]
    used_by: Option<i64>,
}

impl From<PassingRow> for Passing {
    fn from(row: PassingRow) -> Self {
        Self {
            id: row.id,
            priority: row.priority,
            not_before: read(row.not_before),
            expires_at: read(row.expires_at),
            used_by: row.used_by,
        }
    }
}

/// See [`StatePersistence::candidates`](crate::store::StatePersistence::candidates); all that is read belongs to one
/// moment of the file. Also answers what was found out for the next choice.
pub(super) fn candidates(
    conn: &mut SqliteConnection,
    wish: &Selection,
) -> Result<(Vec<StoredItem>, Vec<Note>), Fault> {
    conn.transaction(|conn| {
        let own = own(conn, wish)?;
        let passed_by: HashSet<i64> = wish.skip.iter().chain(&own).copied().collect();
        let skipped = |id: &i64| wish.skip.contains(id);
        let mut ids: Vec<i64> = own.into_iter().filter(|id| !skipped(id)).collect();
        let mut notes = Vec::new();
        let both = |table| Order::ALL.map(|order| (table, order));
        for (table, order) in wish.tables.iter().flat_map(both) {
            let seen = stretches::of(conn, table, wish.bot.as_str(), order)?;
            let walker = Walker::new(order, wish.now, &seen.stretches);
            let walker = walker.wanting(wish.limit, wish.execution.0, passed_by.clone());
            let (found, new) = go(conn, table, wish.bot.as_str(), order, walker)?;
            ids.extend(found);
            notes.extend(new.map(|stretches| Note {
                table: table.clone(),
                order,
                revision: seen.revision,
                stretches,
                now: wish.now,
            }));
        }
        Ok((items(conn, &ids, &wish.tables)?, notes))
    })
}

/// Goes through a table until the walker has enough.
pub(super) fn go(
    conn: &mut SqliteConnection,
    table: &str,
    bot: &str,
    order: Order,
    mut walker: Walker,
) -> Result<(Vec<i64>, Option<Vec<Stretch>>), Fault> {
    while let Some((after, limit)) = walker.next() {
        walker.take(&page(conn, table, bot, order, after, limit)?);
    }
    Ok(walker.end())
}

fn page(
    conn: &mut SqliteConnection,
    table: &str,
    bot: &str,
    order: Order,
    after: Place,
    limit: u32,
) -> Result<Vec<Passing>, Fault> {
    let limit = i64::from(limit);
    let rows: Vec<PassingRow> = match order {
        Order::Priority => Fixed(
            sql_query(BY_PRIORITY)
                .bind::<Text, _>(bot)
                .bind::<Text, _>(table)
                .bind::<Double, _>(0.0 - after.rank)
                .bind::<BigInt, _>(after.key)
                .bind::<BigInt, _>(limit),
        )
        .load(conn)?,
        Order::Age => Fixed(
            sql_query(BY_AGE)
                .bind::<Text, _>(bot)
                .bind::<Text, _>(table)
                .bind::<BigInt, _>(after.key.saturating_neg())
                .bind::<BigInt, _>(limit),
        )
        .load(conn)?,
    };
    let rows = rows.into_iter().map(Passing::from).collect();
    Ok(order.first_of(rows, limit))
}

fn own(conn: &mut SqliteConnection, wish: &Selection) -> Result<Vec<i64>, Fault> {
    let asked = sql_query(OWN)
        .bind::<BigInt, _>(wish.execution.0)
        .bind::<Text, _>(wish.bot.as_str());
    let own: Vec<Id> = Fixed(asked).load(conn)?;
    Ok(own.into_iter().map(|row| row.id).collect())
}

/// The items with these ids, in this order, each once; those of other tables are left out.
fn items(
    conn: &mut SqliteConnection,
    ids: &[i64],
    tables: &[String],
) -> Result<Vec<StoredItem>, Fault> {
    let asked = sql_query(
        "SELECT c.* FROM actor_server_content c WHERE c.id IN (SELECT value FROM json_each(?))",
    )
    .bind::<Text, _>(serde_json::json!(ids).to_string());
    let rows: Vec<ContentRow> = Fixed(asked).load(conn)?;
    Ok(walk::in_order(
        ids,
        tables,
        rows.into_iter().map(StoredItem::from).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use diesel_migrations::MigrationHarness;

    use super::*;
    use crate::store::sqlite::migrations::MIGRATIONS;

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }

    #[test]
    fn each_page_is_a_search_in_an_index_that_has_all_that_is_asked() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        conn.run_pending_migrations(MIGRATIONS).unwrap();
        for (sql, index, key) in [
            (BY_PRIORITY, "by_priority", "(table_name=? AND priority<?)"),
            (
                BY_PRIORITY,
                "by_priority",
                "(table_name=? AND priority=? AND id>?)",
            ),
            (BY_AGE, "by_id", "(table_name=? AND id<?)"),
        ] {
            let plan: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {sql}"))
                .load(&mut conn)
                .unwrap();
            let plan: Vec<_> = plan.iter().map(|step| step.detail.as_str()).collect();
            let search =
                format!("SEARCH c USING COVERING INDEX actor_server_content_{index} {key}");
            assert!(plan.contains(&search.as_str()), "{plan:?}");
            let of_item = "SEARCH u USING PRIMARY KEY (task_id=? AND content_id=?)";
            assert!(plan.contains(&of_item), "{plan:?}");
            assert!(
                !plan.iter().any(|step| step.contains("TEMP B-TREE")),
                "{plan:?}"
            );
            assert!(
                !plan.iter().any(|step| step.starts_with("SCAN c")),
                "{plan:?}"
            );
        }
    }
}
