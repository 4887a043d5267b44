//! The embed of a message, each of its texts a template, kept within Discord's limits.

mod check;
mod page;

use serde_json::{Map, Value, json};

pub(super) use self::check::check;
use self::page::Page;
use super::{
    template::Variables,
    text::{cut, length},
};
use crate::skills::settings::wanted;

/// Texts of an embed with their limits in characters.
const TEXTS: [(&str, usize); 2] = [("title", 256), ("description", 4096)];

/// Addresses.
const LINKS: [&str; 3] = ["url", "image", "thumbnail"];

/// Tables with one text and addresses.
const FOOTER: Part = Part {
    text: "text",
    longest: 2048,
    links: &["icon_url"],
};
const AUTHOR: Part = Part {
    text: "name",
    longest: 256,
    links: &["url", "icon_url"],
};

const MAX_FIELDS: usize = 25;
const MAX_FIELD_NAME: usize = 256;
const MAX_FIELD_VALUE: usize = 1024;

/// All texts of an embed together.
const MAX_TOTAL: usize = 6000;

/// A footer or an author: a template of its text, or a table.
struct Part {
    text: &'static str,
    longest: usize,
    links: &'static [&'static str],
}

/// The embed, or `None` when all of its texts are empty.
pub(super) fn render(
    settings: &Map<String, Value>,
    variables: &Variables,
) -> Result<Option<Value>, String> {
    let page = Page {
        settings,
        variables,
        prefix: "embed.",
    };
    let mut embed = parts(&page)?;
    if embed.keys().all(|key| key == "url") {
        return Ok(None);
    }
    embed.extend(page.color()?.map(|color| ("color".to_owned(), color)));
    shorten(&mut embed)?;
    Ok(Some(Value::Object(embed)))
}

/// All that an embed can show, without what is empty.
fn parts(page: &Page<'_>) -> Result<Map<String, Value>, String> {
    let mut embed = Map::new();
    for (key, longest) in TEXTS {
        embed.extend(page.text(key, longest)?);
    }
    for key in LINKS {
        let link = page.link(key)?;
        embed.extend(link.map(|(key, link)| match key.as_str() {
            "url" => (key, link),
            _ => (key, json!({ "url": link })),
        }));
    }
    for (key, part) in [("footer", FOOTER), ("author", AUTHOR)] {
        embed.extend(page.part(key, &part)?.map(|part| (key.to_owned(), part)));
    }
    let fields = page.fields()?;
    if !fields.is_empty() {
        embed.insert("fields".into(), Value::Array(fields));
    }
    Ok(embed)
}

/// A number up to 0xFFFFFF, or `#RRGGBB`.
fn color(value: &Value) -> Result<u32, String> {
    let number = match value {
        Value::String(text) => text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok()),
        _ => value.as_u64().and_then(|number| u32::try_from(number).ok()),
    };
    number.filter(|number| *number <= 0xFF_FFFF).ok_or_else(|| {
        wanted(
            "a colour like \"#5865F2\" or a number up to 16777215",
            value,
        )
    })
}

/// What is too much in all is taken from the description, the longest text.
fn shorten(embed: &mut Map<String, Value>) -> Result<(), String> {
    let excess = total(embed).saturating_sub(MAX_TOTAL);
    if excess == 0 {
        return Ok(());
    }
    let description = embed.get("description").and_then(Value::as_str);
    let description = description.unwrap_or_default();
    let room = length(description).saturating_sub(excess);
    if room == 0 {
        return Err(format!(
            "embed: its texts have {excess} characters more than the {MAX_TOTAL} that Discord takes"
        ));
    }
    let shorter = cut(description, room);
    embed.insert("description".into(), shorter.into());
    Ok(())
}

fn total(embed: &Map<String, Value>) -> usize {
    let of = |value: Option<&Value>| value.and_then(Value::as_str).map_or(0, length);
    let inner = |part: &str, key: &str| of(embed.get(part).and_then(|part| part.get(key)));
    let fields = embed.get("fields").and_then(Value::as_array);
    let in_fields: usize = fields
        .into_iter()
        .flatten()
        .map(|field| of(field.get("name")) + of(field.get("value")))
        .sum();
    of(embed.get("title"))
        + of(embed.get("description"))
        + inner("footer", "text")
        + inner("author", "name")
        + in_fields
}
