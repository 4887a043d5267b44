//! Items written down so that they can be read again, and are the same.

use serde_json::{Map, Value, json};

use super::{Format, item::FIELDS, table::cell_of};
use crate::domain::{content::ContentItem, text::rfc3339};

/// Writes items, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    is_table: bool,
}

impl Written {
    /// In this format; a JSON document as a whole is written as its lines are.
    #[must_use]
    pub const fn in_format(format: Format) -> Self {
        Self {
            is_table: matches!(format, Format::Csv),
        }
    }

    /// What stands before the first item.
    #[must_use]
    pub fn head(self) -> String {
        match self.is_table {
            true => FIELDS.join(",") + "\n",
            false => String::new(),
        }
    }

    /// One item, with the end of its line.
    #[must_use]
    pub fn line(self, item: &ContentItem) -> String {
        match self.is_table {
            true => row(item) + "\n",
            false => format!("{}\n", object(item)),
        }
    }
}

/// Only what is said.
fn object(item: &ContentItem) -> Value {
    let all = json!({
        "key": item.key,
        "title": item.title,
        "body": item.body,
        "source": item.source,
        "tags": item.tags,
        "priority": item.priority,
        "not_before": item.not_before.map(rfc3339),
        "expires_at": item.expires_at.map(rfc3339),
        "media": item.media,
        "metadata": item.metadata,
    });
    let is_empty = |value: &Value| {
        value.is_null()
            || value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(Map::is_empty)
    };
    match all {
        Value::Object(fields) => {
            let said = fields.into_iter().filter(|(_, value)| !is_empty(value));
            Value::Object(said.collect())
        }
        other => other,
    }
}

fn row(item: &ContentItem) -> String {
    let metadata = match item.metadata.as_object() {
        Some(fields) if fields.is_empty() => String::new(),
        _ => item.metadata.to_string(),
    };
    let moment = |at: Option<_>| at.map(rfc3339).unwrap_or_default();
    let cells: [String; FIELDS.len()] = [
        item.key.clone().unwrap_or_default(),
        item.title.clone().unwrap_or_default(),
        item.body.clone(),
        item.source.clone().unwrap_or_default(),
        cell_of(&item.tags),
        item.priority.to_string(),
        moment(item.not_before),
        moment(item.expires_at),
        cell_of(&item.media),
        metadata,
    ];
    cells.map(|cell| quoted(&cell)).join(",")
}

fn quoted(cell: &str) -> String {
    let needs = cell.contains([',', '"', '\n', '\r']) || cell.trim() != cell;
    match needs {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}
