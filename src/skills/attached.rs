//! Which files go with a message: those of the chosen item, or those that the bot file names.
//!
//! What is stored with the post is where they are, never what is in them: whoever sends the post fetches them.

use serde_json::{Map, Value, json};

use super::{
    RunContext, SettingProblem,
    content_formatter::template::{Variables, check, render},
    settings::{Reader, table, text, wanted},
};
use crate::domain::text::bounded;

/// The word for the files of the chosen item.
const MEDIA: &str = "media";

/// Discord's most files of a message.
const MOST: usize = 10;

/// What is wrong with the setting, and what would be right.
pub(super) fn problems(setting: &Value) -> Vec<SettingProblem> {
    let problem = |key: String, message: String| SettingProblem { key, message };
    let list = match setting {
        Value::String(word) if word == MEDIA => return Vec::new(),
        Value::Array(list) => list,
        other => {
            let wanted = wanted("\"media\" or a list of addresses", other);
            return vec![problem("attachments".into(), wanted)];
        }
    };
    let mut found = Vec::new();
    if list.len() > MOST {
        let message = format!(
            "lists {} files; at most {MOST} go with a message",
            list.len()
        );
        found.push(problem("attachments".into(), message));
    }
    for (n, one) in list.iter().enumerate() {
        let key = format!("attachments[{n}]");
        match one {
            Value::Object(fields) => found.extend(problems_of(fields, &key)),
            one => {
                let checked = text(one).and_then(address);
                found.extend(checked.err().map(|message| problem(key, message)));
            }
        }
    }
    found
}

fn problems_of(fields: &Map<String, Value>, key: &str) -> Vec<SettingProblem> {
    let mut reader = Reader::new(fields, &format!("{key}.")).only(&["url", "description"]);
    reader.value("url", |value| text(value).and_then(address));
    reader.value("description", |value| text(value).and_then(check));
    let mut found = reader.problems();
    if !fields.contains_key("url") {
        let (key, message) = (format!("{key}.url"), "is missing; give an address".into());
        found.push(SettingProblem { key, message });
    }
    found
}

/// A template of an address, which must be one already where nothing is left to be filled in.
fn address(template: &str) -> Result<(), String> {
    check(template)?;
    let (fixed, text) = (!template.contains('{'), template.trim());
    if fixed && !text.is_empty() {
        referred(text, None)?;
    }
    Ok(())
}

/// The references to store with the message.
///
/// # Errors
/// Something is no address of the web, or a template cannot be rendered.
pub(super) fn references(setting: &Value, run: &RunContext<'_>) -> Result<Vec<Value>, String> {
    let listed = match setting {
        Value::Array(list) => list.as_slice(),
        _ => return media(&run.content),
    };
    let variables = Variables::of(run)?;
    let all = listed.iter().take(MOST);
    let all = all.filter_map(|one| reference(one, &variables).transpose());
    all.collect()
}

/// One of the list; an address that comes out empty is none.
fn reference(one: &Value, variables: &Variables) -> Result<Option<Value>, String> {
    let (url, description) = match one {
        Value::String(url) => (url.as_str(), None),
        one => {
            let fields = table(one)?;
            let of = |key: &str| fields.get(key).and_then(Value::as_str);
            (of("url").unwrap_or_default(), of("description"))
        }
    };
    let url = render(url, variables)?;
    let description = description.map(|text| render(text, variables));
    let description = description.transpose()?;
    match url.trim() {
        "" => Ok(None),
        url => referred(url, description.as_deref()).map(Some),
    }
}

/// The media of the item; behind the tenth nothing fits into a message.
fn media(content: &Value) -> Result<Vec<Value>, String> {
    let Some(Value::Array(listed)) = content.get(MEDIA) else {
        return Ok(Vec::new());
    };
    let urls = listed.iter().take(MOST);
    urls.map(|url| referred(url.as_str().unwrap_or_default(), None))
        .collect()
}

fn referred(url: &str, description: Option<&str>) -> Result<Value, String> {
    let parsed = url::Url::parse(url).ok();
    if !parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
        let shown = bounded(url, 100);
        return Err(format!("`{shown}` is no address; use https://HOST/PATH"));
    }
    let mut reference = Map::from_iter([("url".to_owned(), Value::from(url))]);
    let description = description.filter(|text| !text.trim().is_empty());
    reference.extend(description.map(|text| ("description".to_owned(), json!(text))));
    Ok(Value::Object(reference))
}
