//! One item, from the JSON object that somebody wrote.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::Read;
use crate::domain::{
    Instant,
    content::ContentItem,
    json::depth,
    text::{bounded, has_nul},
};

/// What an item may say.
pub const FIELDS: [&str; 10] = [
    "key",
    "title",
    "body",
    "source",
    "tags",
    "priority",
    "not_before",
    "expires_at",
    "media",
    "metadata",
];
/// The longest key and source, in characters.
const LONGEST_KEY: usize = 500;
/// Arrays and objects inside one another; what stores them wraps some more around them.
const DEEPEST: usize = 64;
/// Of items that do not say how important they are.
const MIDDLE: f64 = 0.5;

/// Reads an item.
pub(super) fn item(value: Value) -> Read {
    if has_nul(&value) {
        return Err("there is a NUL character, which cannot be stored".into());
    }
    if depth(&value) > DEEPEST {
        return Err(format!("it is nested more than {DEEPEST} deep"));
    }
    let Value::Object(fields) = value else {
        return Err("an item must be an object with a `body`".into());
    };
    if let Some(name) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(unknown("field", name));
    }
    let mut fields = Fields(fields);
    let item = ContentItem {
        key: fields.text("key")?,
        title: fields.text("title")?.filter(|text| !is_blank(text)),
        body: fields.text("body")?.ok_or("there is no `body`")?,
        source: fields.text("source")?.filter(|text| !is_blank(text)),
        tags: fields.texts("tags")?,
        priority: fields.number("priority")?.unwrap_or(MIDDLE),
        not_before: fields.moment("not_before")?,
        expires_at: fields.moment("expires_at")?,
        media: fields.texts("media")?,
        metadata: fields.object("metadata")?,
    };
    check(&item).map(|()| item)
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn check(item: &ContentItem) -> Result<(), String> {
    if is_blank(&item.body) {
        return Err("`body` is empty; it must have text".into());
    }
    if item.key.as_deref().is_some_and(is_blank) {
        return Err("`key` is empty; leave it out, and the body decides".into());
    }
    for (name, text) in [("key", &item.key), ("source", &item.source)] {
        let length = text.as_ref().map_or(0, |text| text.chars().count());
        if length > LONGEST_KEY {
            return Err(format!(
                "`{name}` has {length} characters; it may have {LONGEST_KEY}"
            ));
        }
    }
    if !(0.0..=1.0).contains(&item.priority) {
        let priority = item.priority;
        return Err(format!("`priority` is {priority}; it must be 0 to 1"));
    }
    match (item.not_before, item.expires_at) {
        (Some(first), Some(end)) if end <= first => {
            Err("`expires_at` must be later than `not_before`".into())
        }
        _ => Ok(()),
    }
}

/// The fields that are not read yet; null says nothing.
struct Fields(Map<String, Value>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, "a text", &other)),
        }
    }

    fn texts(&mut self, name: &str) -> Result<Vec<String>, String> {
        let Some(value) = self.take(name) else {
            return Ok(Vec::new());
        };
        let list = value.as_array().and_then(|list| {
            let texts = list.iter().map(|text| text.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>()
        });
        list.ok_or_else(|| wrong(name, "a list of texts", &value))
    }

    fn number(&mut self, name: &str) -> Result<Option<f64>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(name, "a number from 0 to 1", &value)),
            },
        }
    }

    fn moment(&mut self, name: &str) -> Result<Option<Instant>, String> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let text = value.as_str().unwrap_or_default();
        match DateTime::parse_from_rfc3339(text) {
            Ok(moment) => Ok(Some(moment.with_timezone(&Utc))),
            Err(_) => Err(wrong(name, "a time such as 2027-01-31T08:00:00Z", &value)),
        }
    }

    fn object(&mut self, name: &str) -> Result<Value, String> {
        match self.take(name) {
            None => Ok(Map::new().into()),
            Some(object @ Value::Object(_)) => Ok(object),
            Some(other) => Err(wrong(name, "an object", &other)),
        }
    }
}

/// Says what a field must be, and what it is.
pub(super) fn wrong(name: &str, what: &str, value: &Value) -> String {
    let shown = bounded(&value.to_string(), 60);
    format!("`{name}` must be {what}, not {shown}")
}

/// Says that there is no such field (or column), and which one was probably meant.
pub(super) fn unknown(what: &str, name: &str) -> String {
    let shown = bounded(name, 60);
    let plain = name.trim().to_lowercase().replace(['-', ' '], "_");
    let allowed = (plain.chars().count() / 3).max(1);
    let distance = |field: &str| strsim::osa_distance(&plain, field);
    let nearest = FIELDS.into_iter().min_by_key(|field| distance(field));
    match nearest.filter(|field| distance(field) <= allowed) {
        Some(near) => format!("there is no {what} `{shown}`; did you mean `{near}`?"),
        None => format!(
            "there is no {what} `{shown}`; known are {}",
            FIELDS.join(", ")
        ),
    }
}
