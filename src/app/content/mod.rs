//! Knowledge tables from the command line: straight to the database of the configuration, also beside a server that uses it.
//! Each call blocks until it is done.

mod exporting;
mod importing;
mod noting;
mod source;

use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

pub use self::{
    exporting::{Export, export_content},
    importing::{Import, import_content},
};
use super::commands::in_actors_system;
pub use crate::domain::{
    content::{Imported, StoredItem, TableSummary},
    import::Format,
};
use crate::{
    clock::Clock,
    domain::{bot::BotName, content::ContentQuery},
    http::view::content::{Item, Table},
    store::{self, KnowledgeStore, Missing, StatePersistence, StoreError},
};

/// Why a command about knowledge failed.
#[derive(Debug)]
pub enum ContentError {
    /// It was asked for what cannot be.
    Usage(String),
    /// What was to be imported is not good: each problem with its line; nothing was stored.
    Problems {
        /// Where it came from.
        source: String,
        /// The first twenty.
        problems: Vec<String>,
    },
    /// There is nothing of that kind.
    Nothing(String),
    /// A file, or standard input, cannot be read or written.
    File(String),
    /// The database cannot be used; nothing was changed.
    Store(StoreError),
}

impl ContentError {
    /// Whether the command or the configuration has to change.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::Store(StoreError::Url(_)))
    }
}

impl From<StoreError> for ContentError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) | Self::Nothing(what) | Self::File(what) => f.write_str(what),
            Self::Problems { source, problems } => {
                for problem in problems {
                    writeln!(f, "{source}: {problem}")?;
                }
                f.write_str("nothing was imported")
            }
            Self::Store(error) if error.is_transient() => {
                write!(
                    f,
                    "{error}; waited for it up to 30 s, and nothing was changed"
                )
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ContentError {}

/// The knowledge tables, by name; those of a database that does not exist are none.
///
/// # Errors
/// See [`ContentError`].
pub fn content_tables(url: &SecretString) -> Result<Vec<TableSummary>, ContentError> {
    with_store(url, Missing::Leave, async |store| {
        Ok(store.content_tables(Clock::process().now()).await?)
    })
    .map(Option::unwrap_or_default)
}

/// A table as the API shows it.
#[must_use]
pub fn table_as_json(table: TableSummary) -> Value {
    json!(Table::from(table))
}

/// The newest items of a table, the newest first.
///
/// # Errors
/// See [`ContentError`].
pub fn content_items(
    url: &SecretString,
    table: &str,
    limit: u32,
) -> Result<Vec<StoredItem>, ContentError> {
    let query = ContentQuery {
        table: table_name(table)?,
        limit,
        ..ContentQuery::default()
    };
    with_store(url, Missing::Leave, async |store| {
        Ok(store.content(&query).await?)
    })
    .map(Option::unwrap_or_default)
}

/// An item as the API shows it.
#[must_use]
pub fn item_as_json(item: StoredItem) -> Value {
    json!(Item::from(item))
}

/// Which items are to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The one with this key.
    Key(String),
    /// The one in this row.
    Id(i64),
    /// All of the table.
    All,
}

/// Removes items of a table. Answers how many there were.
///
/// # Errors
/// See [`ContentError`]; also if the one that was named is not there.
pub fn remove_content(
    url: &SecretString,
    table: &str,
    which: &Removal,
) -> Result<u64, ContentError> {
    let table = table_name(table)?;
    let removed = with_store(url, Missing::Leave, async |store| {
        let id = match which {
            Removal::All => None,
            Removal::Id(id) => Some(*id),
            Removal::Key(key) => match of(store)?.content_by_key(&table, key).await? {
                Some(item) => Some(item.id),
                None => return Ok(0),
            },
        };
        let removed = store.remove_content(&table, id).await?;
        if removed > 0 {
            let after = json!({ "id": id, "removed": removed });
            noting::note(store, "remove_content", &table, after).await?;
        }
        Ok(removed)
    })?;
    match removed.unwrap_or_default() {
        0 if *which != Removal::All => Err(ContentError::Nothing(format!(
            "there is no such item in the table `{table}`"
        ))),
        removed => Ok(removed),
    }
}

/// Names of tables are made like those of bots.
fn table_name(text: &str) -> Result<String, ContentError> {
    match BotName::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(ContentError::Usage(format!(
            "`{}` is no name of a table; use 1 to 64 of A-Z a-z 0-9 _ -",
            text.escape_debug()
        ))),
    }
}

fn of(store: &Arc<dyn StatePersistence>) -> Result<&dyn KnowledgeStore, StoreError> {
    store
        .knowledge()
        .ok_or_else(|| StoreError::keeps_no("knowledge"))
}

/// Does `work` on the database, beside whoever else uses it; `None` if there is none.
fn with_store<T>(
    url: &SecretString,
    missing: Missing,
    work: impl AsyncFnOnce(&Arc<dyn StatePersistence>) -> Result<T, ContentError>,
) -> Result<Option<T>, ContentError> {
    in_actors_system(async {
        let Some(store) = store::open_beside(url.expose_secret(), missing).await? else {
            return Ok(None);
        };
        let done = work(&store).await;
        store.close().await;
        done.map(Some)
    })
}
