//! What a batch has changed, written with one statement for each kind of change.

mod posts;
mod rows;
mod states;

use std::collections::HashSet;

use diesel::{
    QueryResult,
    sql_types::{Array, Nullable, Text, Timestamptz},
};
use serde_json::Value;

use self::{
    posts::{NewPostRow, insert_posts, mark_posts},
    rows::{NewRow, delete_rows, insert_rows, update_rows},
    states::{insert_states, update_states},
};
use super::{batch::Batch, connection::Connection, error, sheet::Change, uses};
use crate::{
    domain::{run::ExecutionId, state::BotState},
    store::LedgerRow,
};

pub(super) type Texts = Array<Text>;
pub(super) type MaybeTexts = Array<Nullable<Text>>;
pub(super) type Times = Array<Timestamptz>;
pub(super) type MaybeTimes = Array<Nullable<Timestamptz>>;

impl Batch {
    /// Writes back. Answers the claims whose slot turned out to have a row.
    ///
    /// # Errors
    /// [`error::moved`] when another process changed what no lock protects (a bot that did not exist yet, a row that was
    /// pruned): the same batch will find it changed.
    pub(super) async fn flush(
        &mut self,
        connection: &mut Connection,
    ) -> QueryResult<HashSet<ExecutionId>> {
        delete_rows(connection, &self.rows(Change::Deleted)).await?;
        insert_states(connection, &self.states(Change::New)).await?;
        update_states(connection, &self.states(Change::Changed)).await?;
        update_rows(connection, &self.rows(Change::Changed)).await?;
        let doubled = insert_rows(connection, &self.new_rows()).await?;
        for sheet in self.sheets.values_mut() {
            doubled.iter().for_each(|id| sheet.forget(*id));
        }
        self.facts
            .retain(|(row, _)| row.is_none_or(|row| !doubled.contains(&row)));
        insert_posts(connection, &self.new_posts()).await?;
        uses::insert(connection, &self.posts.new_uses.iter().collect::<Vec<_>>()).await?;
        let marks: Vec<_> = self.posts.marks.values().collect();
        mark_posts(connection, &marks).await?;
        uses::free(connection, &marks).await?;
        Ok(doubled)
    }

    fn rows(&self, change: Change) -> Vec<&LedgerRow> {
        let rows = self.sheets.values().flat_map(|sheet| sheet.rows.values());
        rows.filter(|row| row.change == change)
            .map(|row| &row.value)
            .collect()
    }

    /// With the bots' titles and the wishes' keys.
    fn new_rows(&self) -> Vec<NewRow<'_>> {
        let sheets = self.sheets.values();
        sheets
            .flat_map(|sheet| sheet.rows.values().map(move |row| (sheet, row)))
            .filter(|(_, row)| row.change == Change::New)
            .map(|(sheet, row)| NewRow {
                title: sheet.title(&row.value.bot),
                wish: sheet.wish_of(row.value.id),
                row: &row.value,
            })
            .collect()
    }

    fn states(&self, change: Change) -> Vec<&BotState> {
        let states = self
            .sheets
            .values()
            .filter_map(|sheet| sheet.state.as_ref());
        states
            .filter(|state| state.change == change)
            .map(|state| &state.value)
            .collect()
    }

    fn new_posts(&self) -> Vec<NewPostRow<'_>> {
        let posts = self.posts.by_place.iter();
        posts
            .filter(|(_, post)| post.change == Change::New)
            .map(|(place, post)| NewPostRow {
                post: &post.value,
                made_of: self.posts.made_of.get(place),
            })
            .collect()
    }
}

fn all(written: usize, wanted: usize) -> QueryResult<()> {
    if written == wanted {
        Ok(())
    } else {
        Err(error::moved())
    }
}

pub(super) fn column<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// PostgreSQL's text holds no NUL; what a bot or a platform said is kept without.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub(super) fn maybe_clean(text: Option<&String>) -> Option<String> {
    text.map(|text| clean(text))
}

pub(super) fn clean_json(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(values) => values.iter().map(clean_json).collect(),
        Value::Object(map) => {
            let entries = map.iter();
            Value::Object(
                entries
                    .map(|(key, value)| (clean(key), clean_json(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}
