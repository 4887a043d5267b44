//! What happens, as it happens.

use serde_json::{Value, json};

use super::{Failure, Output, text::line};
use crate::client::{Client, Happening, StreamFilter};

/// Fields that say when; they stand first.
const TIMES: [&str; 3] = ["at", "timestamp", "time"];

/// Prints every happening as one line, until the server says no or nobody reads on.
pub(super) async fn watch(
    client: &Client,
    out: &Output,
    actor: Option<String>,
    since_id: Option<String>,
) -> Result<(), Failure> {
    let filter = StreamFilter {
        actor,
        ..Default::default()
    };
    let mut listener = client.stream_of(filter, since_id);
    loop {
        let happening = listener.next().await?;
        if out.is_json() {
            out.document(&document(&happening))?;
        } else {
            Output::print(&(sentence(&happening) + "\n"))?;
        }
    }
}

/// One line of JSON.
pub(super) fn document(happening: &Happening) -> String {
    let data = happening.value();
    json!({ "id": happening.id, "event": happening.kind, "data": data }).to_string()
}

/// Such as `2027-01-31T08:00:00Z run started actor=daily execution_id=7`.
pub(super) fn sentence(happening: &Happening) -> String {
    let data = happening.value();
    let time = TIMES.iter().find_map(|name| data.get(name)?.as_str());
    let kind = happening.kind.replace(['_', '.'], " ");
    let mut words: Vec<String> = time.map(line).into_iter().chain([line(&kind)]).collect();
    match data {
        Value::Object(fields) => words.extend(
            fields
                .iter()
                .filter(|(name, value)| !TIMES.contains(&name.as_str()) && !value.is_null())
                .map(|(name, value)| format!("{}={}", line(name), shown(value))),
        ),
        _ => words.push(line(&happening.data)),
    }
    words.join(" ")
}

/// A word as it is, anything else as JSON.
fn shown(value: &Value) -> String {
    match value.as_str() {
        Some(text) if !text.is_empty() && !text.contains([' ', '"', '=']) => line(text),
        _ => line(&value.to_string()),
    }
}
