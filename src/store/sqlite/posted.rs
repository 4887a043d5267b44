//! What a bot has posted lately, found by its time.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
    sqlite::Sqlite,
};

use super::{fault::Fault, time::Time};
use crate::{
    domain::{
        Instant,
        content::{PostTally, PostedText},
        run::ExecutionId,
    },
    store::pages::bounded,
};

/// Posts of a bot that count, but for those of one run. The words of the index: it has no refused ones.
const COUNTING: &str = "FROM actor_server_posts p INDEXED BY actor_server_posts_by_bot \
     WHERE p.task_id = ? AND p.status <> 'failed' AND p.execution_id <> ?";

/// A post's time.
const AT: &str = "coalesce(p.posted_at, p.created_at)";

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Bool)]
    of_item: bool,
    #[diesel(sql_type = Nullable<Text>)]
    content_text: Option<String>,
}

impl From<TextRow> for PostedText {
    fn from(row: TextRow) -> Self {
        let item = row
            .of_item
            .then(|| row.content_text.unwrap_or_else(|| row.body.clone()));
        Self {
            body: row.body,
            item,
        }
    }
}

/// The texts since a moment, newest first.
pub(super) fn texts(
    conn: &mut SqliteConnection,
    bot: &str,
    since: Instant,
    but_not: ExecutionId,
    limit: u32,
) -> Result<Vec<PostedText>, Fault> {
    let sql = format!(
        "SELECT p.body, p.content_id IS NOT NULL AS of_item, p.content_text {COUNTING} AND {AT} >= ? \
         ORDER BY {AT} DESC, p.id DESC LIMIT ?"
    );
    let rows: Vec<TextRow> = sql_query(sql)
        .bind::<Text, _>(bot)
        .bind::<BigInt, _>(but_not.0)
        .bind::<Text, _>(Time(bounded(since)))
        .bind::<BigInt, _>(i64::from(limit))
        .load(conn)?;
    Ok(rows.into_iter().map(PostedText::from).collect())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct Newest {
    #[diesel(sql_type = Text)]
    at: Time,
}

/// How many since a moment, and the newest of all.
pub(super) fn tally(
    conn: &mut SqliteConnection,
    bot: &str,
    since: Instant,
    but_not: ExecutionId,
) -> Result<PostTally, Fault> {
    let count: Count = sql_query(format!("SELECT count(*) AS n {COUNTING} AND {AT} >= ?"))
        .bind::<Text, _>(bot)
        .bind::<BigInt, _>(but_not.0)
        .bind::<Text, _>(Time(bounded(since)))
        .get_result(conn)?;
    let newest: Option<Newest> = sql_query(format!(
        "SELECT {AT} AS at {COUNTING} ORDER BY {AT} DESC LIMIT 1"
    ))
    .bind::<Text, _>(bot)
    .bind::<BigInt, _>(but_not.0)
    .get_result(conn)
    .optional()?;
    Ok(PostTally {
        since: u32::try_from(count.n).unwrap_or(u32::MAX),
        newest: newest.map(|row| row.at.0),
    })
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
    fn old_posts_of_a_bot_are_not_looked_at() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        conn.run_pending_migrations(MIGRATIONS).unwrap();
        for asked in [
            format!("SELECT p.body {COUNTING} AND {AT} >= ? ORDER BY {AT} DESC, p.id DESC LIMIT ?"),
            format!("SELECT count(*) {COUNTING} AND {AT} >= ?"),
            format!("SELECT {AT} {COUNTING} ORDER BY {AT} DESC LIMIT 1"),
        ] {
            let plan: Vec<Step> = sql_query(format!("EXPLAIN QUERY PLAN {asked}"))
                .load(&mut conn)
                .unwrap();
            let plan: Vec<_> = plan.iter().map(|step| step.detail.as_str()).collect();
            assert_eq!(plan.len(), 1, "{plan:?}");
            let search = "SEARCH p USING INDEX actor_server_posts_by_bot (task_id=?";
            assert!(plan[0].starts_with(search), "{plan:?}");
        }
    }
}
