//! Renders one template, inside bounds: of instructions, of bytes, and of what its filters may do.
//!
//! An undefined variable is an error when it is printed and false when it is asked for, so that a misspelled name
//! posts nothing; what is null prints nothing.

use chrono::SecondsFormat;
use minijinja::{Environment, Error, ErrorKind};
use serde_json::{Value, json};

use super::{
    engine::{Bounded, MAX_OUTPUT, Printing, engine},
    guard,
};
use crate::{
    domain::{Instant, text::bounded},
    skills::{RunContext, settings::nearest},
};

/// Bytes of content or event, as JSON, that a template is given.
const MAX_INPUT: usize = 128 * 1024;

/// Bytes of the results of other skills, as JSON, that a template is given.
const MAX_RESULTS: usize = 2 * 1024 * 1024;

const NAMES: [&str; 8] = [
    "content",
    "slot",
    "bot",
    "now",
    "event",
    "attempt",
    "execution",
    "results",
];

/// What templates can refer to.
pub(in crate::skills) struct Variables(Value);

impl Variables {
    /// Those of a run.
    pub(in crate::skills) fn of(run: &RunContext<'_>) -> Result<Self, String> {
        let results = Value::Object(run.results.clone());
        for (name, value, most) in [
            ("content", &run.content, MAX_INPUT),
            ("event", &run.event, MAX_INPUT),
            ("results", &results, MAX_RESULTS),
        ] {
            let length = value.to_string().len();
            if length > most {
                return Err(format!(
                    "the {name} has {length} bytes; templates take at most {most}"
                ));
            }
        }
        Ok(Self(json!({
            "content": run.content,
            "slot": run.slot.map(written),
            "bot": { "name": run.bot.as_str(), "title": run.title },
            "now": written(run.now),
            "event": run.event,
            "attempt": run.attempt,
            "execution": run.execution.0,
            "results": results,
        })))
    }

    /// The content; null when no skill has chosen one.
    pub(in crate::skills) fn content(&self) -> &Value {
        self.0.get("content").unwrap_or(&Value::Null)
    }
}

impl Variables {
    /// All of them.
    pub(in crate::skills) fn into_json(self) -> Value {
        self.0
    }
}

/// RFC 3339 with milliseconds and `Z`.
fn written(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The text that the template makes.
pub(in crate::skills) fn render(source: &str, variables: &Variables) -> Result<String, String> {
    render_in(engine(Printing::Plain), source, variables)
}

/// The text that the template makes, whose values are percent-encoded: what they say is a part of a URL and not its shape.
pub(in crate::skills) fn render_url(source: &str, variables: &Variables) -> Result<String, String> {
    render_in(engine(Printing::Encoded), source, variables)
}

fn render_in(
    engine: Environment<'_>,
    source: &str,
    variables: &Variables,
) -> Result<String, String> {
    guard::check(source)?;
    let mut output = Bounded::default();
    let result = engine
        .template_from_named_str("template", source)
        .and_then(|template| {
            template
                .render_captured_to(&variables.0, &mut output)
                .map(drop)
        });
    match result {
        Ok(()) => String::from_utf8(output.0).map_err(|error| error.to_string()),
        Err(error) => Err(explain(&error, variables.content().is_null())),
    }
}

/// What is wrong with the template, as far as that can be said before a run.
pub(in crate::skills) fn check(source: &str) -> Result<(), String> {
    guard::check(source)?;
    let engine = engine(Printing::Plain);
    let template = engine
        .template_from_named_str("template", source)
        .map_err(|error| explain(&error, false))?;
    let names = template.undeclared_variables(false);
    let mut unknown: Vec<&String> = names.iter().filter(|name| !is_known(name)).collect();
    unknown.sort();
    if let Some(name) = unknown.first() {
        return Err(unknown_variable(name));
    }
    // Unknown filters and the like show only when they are reached; missing fields of this sample mean nothing.
    match template.render_captured_to(sample(), &mut Bounded::default()) {
        Err(error) if is_unknown(error.kind()) => Err(explain(&error, false)),
        _ => Ok(()),
    }
}

fn is_known(name: &str) -> bool {
    NAMES.contains(&name) || name == "range"
}

fn unknown_variable(name: &str) -> String {
    let hint = match nearest(name, &NAMES) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", NAMES.join(", ")),
    };
    format!("unknown variable `{}`; {hint}", bounded(name, 64))
}

fn is_unknown(kind: ErrorKind) -> bool {
    use ErrorKind::{UnknownFilter, UnknownFunction, UnknownMethod, UnknownTest};
    matches!(
        kind,
        UnknownFilter | UnknownFunction | UnknownMethod | UnknownTest
    )
}

fn sample() -> Value {
    let time = "2030-01-01T09:00:00.000Z";
    json!({
        "content": { "body": "A text", "title": "A title", "tags": ["tag"], "source": "A source",
            "url": "https://example.com/" },
        "slot": time, "now": time, "bot": { "name": "bot", "title": "Bot" },
        "event": {}, "attempt": 1, "execution": 1, "results": {},
    })
}

/// The engine's words and place, and what to do where that is known.
fn explain(error: &Error, no_content: bool) -> String {
    let place = error.line().map(|line| format!(" (line {line})"));
    let place = place.unwrap_or_default();
    let why = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "does too much work for one post".into(),
        (ErrorKind::WriteFailure, _) => format!("makes a text longer than {MAX_OUTPUT} bytes"),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    let hint = match error.kind() {
        ErrorKind::UndefinedError if no_content => {
            "; no content was chosen: put a skill that chooses some before, or give it with the trigger"
        }
        ErrorKind::UndefinedError => "; `| default(\"…\")` stands in for what may be missing",
        _ => "",
    };
    bounded(&format!("{why}{place}{hint}"), 500)
}
