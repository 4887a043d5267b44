//! Tables and items as people read them. Texts of others reach the terminal without control characters in them.

use serde_json::Value;

use crate::{
    app::content::{StoredItem, TableSummary},
    cli::{
        columns::columns,
        text::{json, line},
    },
    clock::Clock,
};

/// The longest text of an item that is shown, in characters.
const LONGEST: usize = 60;

/// One line for each table.
pub(super) fn tables(tables: &[TableSummary]) -> String {
    if tables.is_empty() {
        return "there are no knowledge tables; fill one with `content import`\n".into();
    }
    let head = ["TABLE", "ITEMS", "WAITING", "EXPIRED", "NEWEST"].map(str::to_owned);
    let rows = tables.iter().map(|table| {
        [
            table.table.clone(),
            table.items.to_string(),
            table.waiting.to_string(),
            table.expired.to_string(),
            table.newest.map_or_else(|| "-".into(), minute),
        ]
    });
    columns(std::iter::once(head).chain(rows))
}

/// One line for each item.
pub(super) fn items(items: &[StoredItem]) -> String {
    if items.is_empty() {
        return "there are no items\n".into();
    }
    let head = ["ID", "KEY", "PRIORITY", "WHEN", "TEXT"].map(str::to_owned);
    let rows = items.iter().map(|stored| {
        let item = &stored.item;
        [
            stored.id.to_string(),
            short(item.key.as_deref().unwrap_or("-")),
            item.priority.to_string(),
            when(stored),
            short(item.title.as_deref().unwrap_or(&item.body)),
        ]
    });
    columns(std::iter::once(head).chain(rows))
}

/// Whether it may be posted now, and else why not.
fn when(stored: &StoredItem) -> String {
    let now = Clock::process().now();
    match (stored.item.not_before, stored.item.expires_at) {
        (_, Some(end)) if end <= now => "expired".into(),
        (Some(first), _) if first > now => format!("from {}", minute(first)),
        (_, Some(end)) => format!("until {}", minute(end)),
        _ => "-".into(),
    }
}

fn minute(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.pop();
        shown.push('…');
    }
    line(&shown)
}

/// A list as one JSON document.
pub(super) fn document(values: impl Iterator<Item = Value>) -> String {
    let list = Value::Array(values.collect());
    json(&format!("{list:#}")) + "\n"
}
