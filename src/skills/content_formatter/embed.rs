//! The embed of a message, each of its texts a template, kept within Discord's limits.

use serde_json::{Map, Value, json};

use super::{
    template::{self, Variables},
    text::{cut, length},
};
use crate::skills::{
    SettingProblem,
    settings::{Reader, flag, table, text, wanted},
};

/// Texts of an embed with their limits in characters, and where Discord wants them.
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

/// What is wrong with `[skills.content_formatter.embed]`.
pub(super) fn check(settings: &Map<String, Value>) -> Vec<SettingProblem> {
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
    if embed.keys().all(|key| key == "url") {
        return Ok(None);
    }
    embed.extend(page.color()?.map(|color| ("color".to_owned(), color)));
    shorten(&mut embed)?;
    Ok(Some(Value::Object(embed)))
}

/// Templates under one table, and what they are rendered with.
struct Page<'a> {
    settings: &'a Map<String, Value>,
    variables: &'a Variables,
    /// Where the table stands, for errors.
    prefix: &'a str,
}

impl Page<'_> {
    /// The rendered template under `key`, trimmed; `None` when it is absent or empty.
    fn rendered(&self, key: &str) -> Result<Option<String>, String> {
        let Some(value) = self.settings.get(key) else {
            return Ok(None);
        };
        let named = |why| format!("{}{key}: {why}", self.prefix);
        let rendered = template::render(text(value).map_err(named)?, self.variables);
        let rendered = rendered.map_err(named)?;
        let trimmed = rendered.trim();
        Ok((!trimmed.is_empty()).then(|| trimmed.to_owned()))
    }

    fn text(&self, key: &str, longest: usize) -> Result<Option<(String, Value)>, String> {
        let text = self.rendered(key)?;
        Ok(text.map(|text| (key.to_owned(), cut(&text, longest).into())))
    }

    fn link(&self, key: &str) -> Result<Option<(String, Value)>, String> {
        let Some(link) = self.rendered(key)? else {
            return Ok(None);
        };
        let web = link.starts_with("https://") || link.starts_with("http://");
        if !web || link.len() > 2048 || link.contains(char::is_whitespace) {
            let shown = crate::domain::text::bounded(&link, 80);
            return Err(format!(
                "{}{key}: `{shown}` is no http or https address",
                self.prefix
            ));
        }
        Ok(Some((key.to_owned(), link.into())))
    }

    fn part(&self, key: &str, part: &Part) -> Result<Option<Value>, String> {
        let Some(Value::Object(settings)) = self.settings.get(key) else {
            let text = self.rendered(key)?;
            return Ok(text.map(|text| json!({ part.text: cut(&text, part.longest) })));
        };
        let page = Page {
            settings,
            variables: self.variables,
            prefix: &format!("{}{key}.", self.prefix),
        };
        let Some(text) = page.text(part.text, part.longest)? else {
            return Ok(None);
        };
        let mut rendered = Map::from_iter([text]);
        for link in part.links {
            rendered.extend(page.link(link)?);
        }
        Ok(Some(Value::Object(rendered)))
    }

    /// Discord wants both texts of a field; one that lacks either is left out.
    fn fields(&self) -> Result<Vec<Value>, String> {
        let list = self.settings.get("fields").and_then(Value::as_array);
        let mut fields = Vec::new();
        for (place, settings) in list.into_iter().flatten().take(MAX_FIELDS).enumerate() {
            let page = Page {
                settings: table(settings)?,
                variables: self.variables,
                prefix: &format!("{}fields.{}.", self.prefix, place + 1),
            };
            let name = page.text("name", MAX_FIELD_NAME)?;
            let value = page.text("value", MAX_FIELD_VALUE)?;
            if let (Some(name), Some(value)) = (name, value) {
                let inline = page.settings.get("inline") == Some(&Value::Bool(true));
                let inline = ("inline".to_owned(), inline.into());
                fields.push(Value::Object(Map::from_iter([name, value, inline])));
            }
        }
        Ok(fields)
    }

    fn color(&self) -> Result<Option<Value>, String> {
        let value = match self.settings.get("color") {
            Some(Value::String(_)) => self.rendered("color")?.map(Value::String),
            other => other.cloned(),
        };
        let color = value.as_ref().map(color).transpose();
        let color = color.map_err(|why| format!("{}color: {why}", self.prefix))?;
        Ok(color.map(Value::from))
    }
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
