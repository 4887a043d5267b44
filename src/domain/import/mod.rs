//! Knowledge items as people write them: JSON, JSON Lines, CSV.
//!
//! All or nothing: whoever imports gets every item, or the problems with the numbers of their lines. Lines and rows are read
//! one after the other, so that a file may be larger than memory; a JSON document is read as a whole.

mod item;
mod lines;
mod table;
#[cfg(test)]
mod tests;
mod written;

use std::io::{BufRead, Read as _};

use serde_json::Value;

pub use self::{item::FIELDS, written::Written};
use self::{
    lines::{BOM, Lines},
    table::Table,
};
use super::content::ContentItem;

/// So many problems are told; a file with more is the wrong file.
pub const PROBLEMS: usize = 20;
/// The longest JSON document, in bytes; longer files are written as lines.
const LONGEST_DOCUMENT: usize = 64 << 20;

/// How items are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One object, or an array of objects.
    Json,
    /// One object a line.
    JsonLines,
    /// A line of column names, then one item a line; several tags in a cell are separated by `;`.
    Csv,
}

impl Format {
    /// What a file of this name holds, by what follows its last dot.
    #[must_use]
    pub fn of_file(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// An item, or what is wrong and where.
pub type Read = Result<ContentItem, String>;

/// Reads items one after the other. Whatever is wrong is one [`Err`], with the number of its line or item, from 1; where
/// nothing behind it can be understood it is the last.
pub fn items<'a>(
    format: Format,
    reader: impl BufRead + Send + 'a,
) -> Box<dyn Iterator<Item = Read> + Send + 'a> {
    match format {
        Format::Json => Box::new(json(reader).into_iter()),
        Format::JsonLines => Box::new(json_lines(reader)),
        Format::Csv => Box::new(Table::of(reader)),
    }
}

/// Reads all items of a text.
///
/// # Errors
/// Every problem (the first twenty); also if there is no item.
pub fn read(format: Format, text: &[u8]) -> Result<Vec<ContentItem>, Vec<String>> {
    let mut good = Vec::new();
    let bad = judge(items(format, text).map(|item| item.map(|item| good.push(item))));
    match (bad.is_empty(), good.is_empty()) {
        (true, true) => Err(vec![NOTHING.into()]),
        (true, false) => Ok(good),
        (false, _) => Err(bad),
    }
}

/// What is wrong with a text that has no items.
pub const NOTHING: &str = "there are no items";

/// The problems among what was read, the first twenty.
pub fn judge<T>(read: impl Iterator<Item = Result<T, String>>) -> Vec<String> {
    read.filter_map(Result::err).take(PROBLEMS).collect()
}

fn json(reader: impl BufRead) -> Vec<Read> {
    let mut text = Vec::new();
    let mut bounded = reader.take(LONGEST_DOCUMENT as u64 + 1);
    if let Err(error) = bounded.read_to_end(&mut text) {
        return vec![Err(error.to_string())];
    }
    if text.len() > LONGEST_DOCUMENT {
        let problem = "the document is longer than 64 MiB; write one object a line (JSON Lines)";
        return vec![Err(problem.into())];
    }
    match serde_json::from_slice(text.strip_prefix(BOM).unwrap_or(&text)) {
        Ok(Value::Array(items)) => {
            let items = items.into_iter().zip(1..);
            items
                .map(|(item, n)| at("item", n, item::item(item)))
                .collect()
        }
        Ok(item) => vec![at("item", 1, item::item(item))],
        Err(error) => vec![Err(error.to_string())],
    }
}

fn json_lines(reader: impl BufRead) -> impl Iterator<Item = Read> {
    let is_filled = |line: &Result<lines::Line, String>| {
        line.as_ref()
            .map_or(true, |line| !line.text.trim().is_empty())
    };
    let item = |text: &str| {
        // The line that serde_json counts is always the first.
        let plain = |error: serde_json::Error| {
            error
                .to_string()
                .replace(" at line 1 column ", " at column ")
        };
        item::item(serde_json::from_str(text).map_err(plain)?)
    };
    Lines::of(reader)
        .filter(is_filled)
        .map(move |line| line.and_then(|line| at("line", line.number, item(&line.text))))
}

fn at<T>(what: &str, n: u64, read: Result<T, String>) -> Result<T, String> {
    read.map_err(|problem| format!("{what} {n}: {problem}"))
}
