//! A small reader of JSON Schema, as far as the document uses it: whether a value is what a schema says.

use serde_json::Value;

/// What is wrong with `value`, if anything. A field that the schema does not name is wrong, too.
pub(crate) fn problems(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "$", &mut found);
    found
}

fn check(document: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(target) = schema["$ref"].as_str() {
        let target = document.pointer(target.trim_start_matches('#'));
        return check(
            document,
            target.expect("a schema that exists"),
            value,
            place,
            found,
        );
    }
    for all in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[all].as_array() {
            let fits = |choice: &&Value| problems(document, choice, value).is_empty();
            if choices.iter().find(fits).is_none() {
                found.push(format!("{place} is {value}, which is none of {choices:?}"));
            }
            return;
        }
    }
    if !is_of_type(&schema["type"], value) {
        found.push(format!(
            "{place} is {value}, which is no {}",
            schema["type"]
        ));
        return;
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|words| !words.contains(value))
    {
        found.push(format!(
            "{place} is {value}, which is none of {}",
            schema["enum"]
        ));
    }
    if schema["format"] == "date-time" && !value.is_null() && !is_time(value) {
        found.push(format!("{place} is {value}, which is no time"));
    }
    parts(document, schema, value, place, found);
}

fn parts(document: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        check(
            document,
            &schema["items"],
            item,
            &format!("{place}[{n}]"),
            found,
        );
    }
    let Some(fields) = value.as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            found.push(format!("{place} has no {name}"));
        }
    }
    let Some(known) = schema["properties"].as_object() else {
        return;
    };
    for (name, field) in fields {
        match known.get(name) {
            Some(schema) => check(document, schema, field, &format!("{place}.{name}"), found),
            None => found.push(format!("{place} has the unknown field {name}")),
        }
    }
}

fn is_of_type(wanted: &Value, value: &Value) -> bool {
    match wanted {
        Value::Array(types) => types.iter().any(|one| is_of_type(one, value)),
        Value::String(one) => match one.as_str() {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("`{other}` is no type"),
        },
        _ => true,
    }
}

/// RFC 3339 in UTC, with `Z` and microseconds.
fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == 27 && text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

#[test]
fn the_reader_finds_what_is_wrong() {
    let document = serde_json::json!({ "s": { "type": "object", "required": ["a"], "properties": {
        "a": { "type": ["integer", "null"] }, "b": { "oneOf": [{ "type": "null" }, { "$ref": "#/t" }] },
    } }, "t": { "type": "string", "enum": ["x"] } });
    let wrong = |value| problems(&document, &document["s"], &value).len();
    assert_eq!(wrong(serde_json::json!({ "a": 1, "b": "x" })), 0);
    assert_eq!(wrong(serde_json::json!({ "a": null, "b": null })), 0);
    assert_eq!(wrong(serde_json::json!({ "a": "1", "b": "y", "c": 1 })), 3);
    assert_eq!(wrong(serde_json::json!({})), 1);
    assert_eq!(wrong(serde_json::json!([])), 1);
}
