//! Knowledge items as people write them: JSON, JSON Lines, CSV.
//!
//! All or nothing: whoever imports gets every item, or the problems with the numbers of their lines.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Instant, content::ContentItem, json::depth, text::has_nul};

/// So many problems are told; a file with more is the wrong file.
const PROBLEMS: usize = 20;
/// The longest key and source, in characters.
const LONGEST_KEY: usize = 500;
/// Arrays and objects inside one another; what stores them wraps some more around them.
const DEEPEST: usize = 64;
/// Separates the tags and media of a CSV cell.
const SEPARATOR: char = ';';

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

/// Reads items.
///
/// # Errors
/// Every problem (the first twenty), each with the number of its line or item, from 1; also if there is no item.
pub fn read(format: Format, text: &str) -> Result<Vec<ContentItem>, Vec<String>> {
    let items = match format {
        Format::Json => json(text),
        Format::JsonLines => json_lines(text),
        Format::Csv => csv(text),
    };
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Ok(item) => good.push(item),
            Err(problem) => bad.push(problem),
        }
    }
    bad.truncate(PROBLEMS);
    match (bad.is_empty(), good.is_empty()) {
        (true, true) => Err(vec!["there are no items".into()]),
        (true, false) => Ok(good),
        (false, _) => Err(bad),
    }
}

type Read = Result<ContentItem, String>;

fn json(text: &str) -> Vec<Read> {
    match serde_json::from_str(text) {
        Ok(Value::Array(items)) => {
            let items = items.into_iter().zip(1..);
            items
                .map(|(item, n)| at("item", n, from_json(item)))
                .collect()
        }
        Ok(item) => vec![at("item", 1, from_json(item))],
        Err(error) => vec![Err(error.to_string())],
    }
}

fn json_lines(text: &str) -> Vec<Read> {
    let lines = text.lines().zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim().is_empty());
    let item = |line| serde_json::from_str(line).map_err(|error| error.to_string());
    lines
        .map(|(line, n)| at("line", n, item(line).and_then(from_json)))
        .collect()
}

fn csv(text: &str) -> Vec<Read> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let columns = match reader.headers() {
        Ok(columns) => columns.clone(),
        Err(error) => return vec![Err(format!("line 1: {error}"))],
    };
    let rows = reader.records().map(|row| match row {
        Ok(row) => {
            let n = row.position().map_or(0, csv::Position::line);
            let cells = columns.iter().zip(row.iter());
            at("line", n, from_cells(cells).and_then(from_json))
        }
        Err(error) => Err(error.to_string()),
    });
    rows.collect()
}

fn at<T>(what: &str, n: u64, read: Result<T, String>) -> Result<T, String> {
    read.map_err(|problem| format!("{what} {n}: {problem}"))
}

/// An item as JSON; an empty cell says nothing.
fn from_cells<'a>(cells: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Value, String> {
    let mut item = Map::new();
    for (column, cell) in cells.filter(|(_, cell)| !cell.trim().is_empty()) {
        item.insert(column.trim().to_owned(), from_cell(column.trim(), cell)?);
    }
    Ok(item.into())
}

fn from_cell(column: &str, cell: &str) -> Result<Value, String> {
    let wrong = |error: String| format!("`{column}` is `{}`: {error}", cell.escape_debug());
    match column {
        "tags" | "media" => {
            let words = cell.split(SEPARATOR).map(str::trim);
            Ok(words.filter(|word| !word.is_empty()).collect())
        }
        "priority" => cell
            .trim()
            .parse::<f64>()
            .map(Value::from)
            .map_err(|error| wrong(error.to_string())),
        "metadata" => serde_json::from_str(cell).map_err(|error| wrong(error.to_string())),
        _ => Ok(cell.into()),
    }
}

/// The fields of an item.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    key: Option<String>,
    title: Option<String>,
    body: String,
    source: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default = "middle")]
    priority: f64,
    not_before: Option<Instant>,
    expires_at: Option<Instant>,
    #[serde(default)]
    media: Vec<String>,
    #[serde(default)]
    metadata: Map<String, Value>,
}

const fn middle() -> f64 {
    0.5
}

fn from_json(item: Value) -> Read {
    if !item.is_object() {
        return Err("an item must be an object with a `body`".into());
    }
    if has_nul(&item) {
        return Err("there is a NUL character, which cannot be stored".into());
    }
    if depth(&item) > DEEPEST {
        return Err(format!("it is nested more than {DEEPEST} deep"));
    }
    let fields: Fields = serde_json::from_value(item).map_err(|error| error.to_string())?;
    fields.check()?;
    Ok(ContentItem {
        key: fields.key,
        title: fields.title,
        body: fields.body,
        source: fields.source,
        tags: fields.tags,
        priority: fields.priority,
        not_before: fields.not_before,
        expires_at: fields.expires_at,
        media: fields.media,
        metadata: fields.metadata.into(),
    })
}

impl Fields {
    fn check(&self) -> Result<(), String> {
        let long = |text: &Option<String>| {
            text.as_ref()
                .is_some_and(|text| text.chars().count() > LONGEST_KEY)
        };
        if self.body.trim().is_empty() {
            return Err("`body` is empty; it must have text".into());
        }
        if self.key.as_ref().is_some_and(|key| key.trim().is_empty()) {
            return Err("`key` is empty; leave it out, and the body decides".into());
        }
        if long(&self.key) || long(&self.source) {
            return Err(format!(
                "`key` and `source` may have {LONGEST_KEY} characters"
            ));
        }
        if !(0.0..=1.0).contains(&self.priority) {
            return Err(format!(
                "`priority` is {}; it must be 0 to 1",
                self.priority
            ));
        }
        match (self.not_before, self.expires_at) {
            (Some(first), Some(end)) if end <= first => {
                Err("`expires_at` must be later than `not_before`".into())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(format: Format, text: &str) -> Vec<String> {
        read(format, text).unwrap_err()
    }

    #[test]
    fn one_object_an_array_and_lines_are_read_alike() {
        let item = json!({ "body": "hello", "tags": ["a", "b"], "metadata": { "n": 1 } });
        let one = read(Format::Json, &item.to_string()).unwrap();
        let many = read(Format::Json, &json!([item, item]).to_string()).unwrap();
        let lines = read(Format::JsonLines, &format!("{item}\n\n{item}\r\n")).unwrap();
        assert_eq!(one.len(), 1);
        assert_eq!(many, lines);
        assert_eq!(many.first(), one.first());
        let first = one.into_iter().next().unwrap();
        assert_eq!((first.body.as_str(), first.priority), ("hello", 0.5));
        assert_eq!(first.tags, ["a", "b"]);
    }

    #[test]
    fn a_table_is_read_by_its_column_names_and_empty_cells_say_nothing() {
        let text = "body,tags,priority,key,not_before\n\"one,\ntwo\",a; b,0.9,k,2026-03-01T00:00:00Z\nplain,,,,\n";
        let items = read(Format::Csv, text).unwrap();
        let [first, second] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!(first.body, "one,\ntwo");
        assert_eq!(first.tags, ["a", "b"]);
        assert_eq!((first.priority, first.key.as_deref()), (0.9, Some("k")));
        assert!(first.not_before.is_some());
        assert_eq!((second.priority, second.key.as_deref()), (0.5, None));
    }

    #[test]
    fn a_bad_line_is_named_by_its_number_and_so_are_all_others() {
        let text = "{\"body\":\"a\"}\n\n{\"body\":3}\n{\"bdy\":\"x\"}\nnonsense";
        let found = problems(Format::JsonLines, text);
        let starts: Vec<&str> = found
            .iter()
            .map(|it| it.split(':').next().unwrap())
            .collect();
        assert_eq!(starts, ["line 3", "line 4", "line 5"]);
        let found = problems(Format::Csv, "body,priority\n\"a\nb\",0.5\nc,high\n");
        assert!(
            found
                .first()
                .unwrap()
                .starts_with("line 4: `priority` is `high`"),
            "{found:?}"
        );
        let found = problems(Format::Csv, "body,colour\nx,red\n");
        assert!(
            found.first().unwrap().contains("unknown field `colour`"),
            "{found:?}"
        );
        let found = problems(Format::Csv, "body\na,b\n");
        assert!(found.first().unwrap().contains("line: 2"), "{found:?}");
    }

    #[test]
    fn what_cannot_be_an_item_is_refused() {
        for text in [
            "",
            "[]",
            "3",
            "[3]",
            "null",
            "{}",
            r#"{"body":" "}"#,
            r#"{"body":"a\u0000"}"#,
            r#"{"body":"a","metadata":{"x":["\u0000"]}}"#,
            r#"{"body":"a","metadata":3}"#,
            r#"{"body":"a","priority":1.1}"#,
            r#"{"body":"a","priority":-1}"#,
            r#"{"body":"a","key":""}"#,
            r#"{"body":"a","not_before":"2026-03-02T00:00:00Z","expires_at":"2026-03-01T00:00:00Z"}"#,
        ] {
            assert!(read(Format::Json, text).is_err(), "{text}");
        }
        for format in [Format::JsonLines, Format::Csv] {
            assert!(read(format, "\n").is_err());
        }
    }

    #[test]
    fn a_wholly_wrong_file_is_told_in_twenty_lines() {
        assert_eq!(
            problems(Format::JsonLines, &"x\n".repeat(1000)).len(),
            PROBLEMS
        );
    }
}
