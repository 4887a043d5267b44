//! What is wrong with the settings of an embed.

use serde_json::{Map, Value};

use super::{AUTHOR, FOOTER, MAX_FIELDS, Part, color};
use crate::skills::{
    SettingProblem,
    content_formatter::template,
    settings::{Reader, flag, table, text, wanted},
};

const KEYS: [&str; 9] = [
    "title",
    "description",
    "url",
    "color",
    "image",
    "thumbnail",
    "footer",
    "author",
    "fields",
];

/// What is wrong with `[skills.content_formatter.embed]`.
pub(in super::super) fn check(settings: &Map<String, Value>) -> Vec<SettingProblem> {
    let mut reader = Reader::new(settings, "embed.").only(&KEYS);
    for key in ["title", "description", "url", "image", "thumbnail"] {
        reader.value(key, check_template);
    }
    reader.value("color", check_color);
    for (key, part) in [("footer", FOOTER), ("author", AUTHOR)] {
        reader.value(key, |value| check_part(value, &part));
    }
    reader.value("fields", check_fields);
    reader.problems()
}

fn check_template(value: &Value) -> Result<(), String> {
    text(value).and_then(template::check)
}

fn check_color(value: &Value) -> Result<(), String> {
    match value {
        Value::String(source) if source.contains("{") => template::check(source),
        _ => color(value).map(drop),
    }
}

fn check_part(value: &Value, part: &Part) -> Result<(), String> {
    let Some(fields) = value.as_object() else {
        return check_template(value).map_err(|why| format!("{why}, or a table"));
    };
    let mut reader = Reader::new(fields, "");
    let known: Vec<&str> = [part.text].iter().chain(part.links).copied().collect();
    reader = reader.only(&known);
    for key in &known {
        reader.value(key, check_template);
    }
    first_problem(reader)
}

fn check_fields(value: &Value) -> Result<(), String> {
    let fields = value
        .as_array()
        .ok_or_else(|| wanted("a list of tables", value))?;
    if fields.len() > MAX_FIELDS {
        return Err(format!(
            "has {} fields; Discord takes at most {MAX_FIELDS}",
            fields.len()
        ));
    }
    for (place, field) in fields.iter().enumerate() {
        check_field(field).map_err(|why| format!("field {}: {why}", place + 1))?;
    }
    Ok(())
}

fn check_field(field: &Value) -> Result<(), String> {
    let fields = table(field)?;
    let mut reader = Reader::new(fields, "").only(&["name", "value", "inline"]);
    for key in ["name", "value"] {
        if !fields.contains_key(key) {
            return Err(format!("`{key}` is missing"));
        }
        reader.value(key, check_template);
    }
    reader.value("inline", flag);
    first_problem(reader)
}

fn first_problem(reader: Reader<'_>) -> Result<(), String> {
    match reader.problems().into_iter().next() {
        Some(problem) => Err(format!("`{}`: {}", problem.key, problem.message)),
        None => Ok(()),
    }
}
