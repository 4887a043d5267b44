//! Makes the message to post from the run's content, by the templates of the bot file.
//!
//! Templates are the operator's, content is a stranger's: content is only ever a value, never a template, and what
//! it may not do is mention people, which `content_posting` decides.

mod embed;
mod engine;
mod guard;
pub(super) mod template;
mod text;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use self::template::Variables;
use super::{
    RunContext, SettingProblem, Skill, SkillError, Verdict,
    settings::{Reader, flag, table, text, texts, wanted},
};
use crate::domain::post::Message;

/// `content_formatter`.
///
/// | setting | default | |
/// |---|---|---|
/// | `template` | `{{ content.body }}` | minijinja, over `content`, `slot`, `bot`, `now`, `event`, `results`, `attempt`, `execution` |
/// | `max_text_length` | 2000 | characters, 1 to 2000; a longer text is cut between two graphemes and ends with `…` |
/// | `include_source` | false | adds a line with `content.source`, or `content.url` |
/// | `add_hashtags` | false | true: `content.tags`; a list: these |
/// | `embed` | – | a table of templates: `title`, `description`, `url`, `color`, `image`, `thumbnail`, `footer`, `author`, `fields` |
#[derive(Clone, Copy, Debug)]
pub struct ContentFormatter;

impl ContentFormatter {
    /// The name in bot files.
    pub const NAME: &str = "content_formatter";
}

const DEFAULT_TEMPLATE: &str = "{{ content.body }}";

/// Discord's limit of a message's text, in code points; the longest `max_text_length`.
const MAX_TEXT: usize = 2000;

const KEYS: [&str; 5] = [
    "template",
    "max_text_length",
    "include_source",
    "add_hashtags",
    "embed",
];

struct Settings<'a> {
    template: Option<&'a str>,
    longest: usize,
    source: bool,
    hashtags: Hashtags<'a>,
    embed: Option<&'a Map<String, Value>>,
}

enum Hashtags<'a> {
    None,
    OfContent,
    These(Vec<&'a str>),
}

impl<'a> Settings<'a> {
    fn read(reader: &mut Reader<'a>) -> Self {
        Self {
            template: reader.value("template", text),
            longest: reader.value("max_text_length", length).unwrap_or(MAX_TEXT),
            source: reader.value("include_source", flag).unwrap_or_default(),
            hashtags: reader
                .value("add_hashtags", hashtags)
                .unwrap_or(Hashtags::None),
            embed: reader.value("embed", table),
        }
    }

    /// The text, whole; `None` when there is nothing to format.
    fn text(&self, variables: &Variables) -> Result<Option<String>, String> {
        let template = match self.template {
            None if variables.content().is_null() => return Ok(None),
            None => DEFAULT_TEMPLATE,
            Some(template) => template,
        };
        let rendered =
            template::render(template, variables).map_err(|error| format!("template: {error}"))?;
        let has_text = !rendered.trim().is_empty();
        Ok(has_text.then(|| text::fit(&rendered, &self.tail(variables.content()), self.longest)))
    }

    /// The lines behind the text.
    fn tail(&self, content: &Value) -> String {
        let mut tail = String::new();
        if self.source {
            tail.extend(text::source(content).map(|source| format!("\n{source}")));
        }
        let tags = match &self.hashtags {
            Hashtags::None => Vec::new(),
            Hashtags::OfContent => text::tags(content),
            Hashtags::These(tags) => tags.clone(),
        };
        tail.extend(text::hashtags(&tags).map(|tags| format!("\n{tags}")));
        tail
    }
}

#[async_trait]
impl Skill for ContentFormatter {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<SettingProblem> {
        let mut reader = Reader::new(settings, "").only(&KEYS);
        let read = Settings::read(&mut reader);
        if let Some(template) = read.template {
            reader.value("template", |_| template::check(template));
        }
        if let Some(fields) = read.embed {
            reader.add(embed::check(fields));
        }
        reader.problems()
    }

    async fn run(
        &self,
        run: &mut RunContext<'_>,
        settings: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        if let Some(idle) = run.idle() {
            return Ok(idle);
        }
        let made = Variables::of(run).and_then(|variables| message(settings, &variables));
        let Some(message) = made.map_err(SkillError::unrecoverable)? else {
            return nothing(run);
        };
        run.message = Some(message);
        Ok(Verdict::Done)
    }
}

/// The text and the embed; `None` when both are empty.
fn message(
    settings: &Map<String, Value>,
    variables: &Variables,
) -> Result<Option<Message>, String> {
    let mut reader = Reader::new(settings, "");
    let read = Settings::read(&mut reader);
    if let Some(problem) = reader.problems().first() {
        return Err(format!("{}: {}", problem.key, problem.message));
    }
    let body = read.text(variables)?;
    let embed = match read.embed {
        Some(fields) => embed::render(fields, variables)?,
        None => None,
    };
    Ok((body.is_some() || embed.is_some()).then(|| Message {
        body: body.unwrap_or_default(),
        options: embed.map_or_else(|| json!({}), |embed| json!({ "embeds": [embed] })),
    }))
}

/// An item of which no text comes would be chosen again by every run, and the bot would be silent without a word.
fn nothing(run: &RunContext<'_>) -> Result<Verdict, SkillError> {
    if let Some(item) = &run.item {
        return Err(SkillError::unrecoverable(format!(
            "item {} makes an empty text; give it what the template asks for, or remove it",
            item.id
        )));
    }
    let what = match run.content.is_null() {
        true => "there is no content to format",
        false => "the text is empty",
    };
    Ok(Verdict::NothingToDo(what.into()))
}

fn length(value: &Value) -> Result<usize, String> {
    value
        .as_u64()
        .and_then(|length| usize::try_from(length).ok())
        .filter(|length| (1..=MAX_TEXT).contains(length))
        .ok_or_else(|| wanted("a whole number from 1 to 2000", value))
}

fn hashtags(value: &Value) -> Result<Hashtags<'_>, String> {
    match value {
        Value::Bool(true) => Ok(Hashtags::OfContent),
        Value::Bool(false) => Ok(Hashtags::None),
        Value::Array(_) => texts(value).map(Hashtags::These),
        _ => Err(wanted("true, false or a list of tags", value)),
    }
}
