//! Renders one template, inside bounds: of instructions, of bytes, and of what its filters may do.
//!
//! An undefined variable is an error when it is printed and false when it is asked for, so that a misspelled name
//! posts nothing; what is null prints nothing.

use std::{
    fmt::{self, Write as _},
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::SecondsFormat;
use minijinja::{
    Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value as Var, escape_formatter,
};
use serde_json::{Value, json};

use super::guard;
use crate::{
    domain::{Instant, text::bounded},
    skills::{RunContext, settings::nearest},
};

/// Instructions of one rendering; a post needs some hundreds.
const FUEL: u64 = 10_000;

/// Bytes that one rendering may print, captures included, and make by filters that lengthen texts.
const MAX_OUTPUT: usize = 512 * 1024;

/// Bytes of content or event, as JSON, that a template is given.
const MAX_INPUT: usize = 128 * 1024;

/// The longest `range`.
const MAX_RANGE: usize = 1000;

const NAMES: [&str; 7] = [
    "content",
    "slot",
    "bot",
    "now",
    "event",
    "attempt",
    "execution",
];

/// Filters that make texts or lists of any size from a number, or show the inside of values.
const NO_FILTERS: [&str; 8] = [
    "indent", "format", "pprint", "batch", "slice", "attr", "zip", "chain",
];

/// Functions that are of no use in a post.
const NO_FUNCTIONS: [&str; 3] = ["debug", "namespace", "dict"];

/// What templates can refer to.
pub(super) struct Variables(Value);

impl Variables {
    /// Those of a run.
    pub(super) fn of(run: &RunContext<'_>) -> Result<Self, String> {
        for (name, value) in [("content", &run.content), ("event", &run.event)] {
            let length = value.to_string().len();
            if length > MAX_INPUT {
                return Err(format!(
                    "the {name} has {length} bytes; templates take at most {MAX_INPUT}"
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
        })))
    }

    /// The content; null when no skill has chosen one.
    pub(super) fn content(&self) -> &Value {
        self.0.get("content").unwrap_or(&Value::Null)
    }
}

/// RFC 3339 with milliseconds and `Z`.
fn written(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The text that the template makes.
pub(super) fn render(source: &str, variables: &Variables) -> Result<String, String> {
    guard::check(source)?;
    let environment = environment();
    let mut output = Bounded::default();
    let result = environment
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
pub(super) fn check(source: &str) -> Result<(), String> {
    guard::check(source)?;
    let environment = environment();
    let template = environment
        .template_from_named_str("template", source)
        .map_err(|error| explain(&error, false))?;
    let mut unknown: Vec<String> = template
        .undeclared_variables(false)
        .into_iter()
        .filter(|name| !NAMES.contains(&name.as_str()) && name != "range")
        .collect();
    unknown.sort();
    if let Some(name) = unknown.first() {
        let hint = match nearest(name, &NAMES) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", NAMES.join(", ")),
        };
        return Err(format!("unknown variable `{}`; {hint}", bounded(name, 64)));
    }
    // Unknown filters and the like show only when they are reached; missing fields of this sample mean nothing.
    match template.render_captured_to(sample(), &mut Bounded::default()) {
        Err(error) if is_unknown(error.kind()) => Err(explain(&error, false)),
        _ => Ok(()),
    }
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
        "event": {}, "attempt": 1, "execution": 1,
    })
}

fn environment<'a>() -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_debug(false);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(50);
    NO_FILTERS
        .iter()
        .for_each(|name| environment.remove_filter(name));
    NO_FUNCTIONS
        .iter()
        .for_each(|name| environment.remove_global(name));
    environment.add_function("range", range);
    let allowance = Allowance::default();
    let paid = allowance.clone();
    environment.add_filter("replace", move |text: &str, from: &str, to: &str| {
        replace(text, from, to, &paid)
    });
    let paid = allowance.clone();
    environment.add_filter("join", move |list: &Var, between: Option<&str>| {
        join(list, between, &paid)
    });
    environment.set_formatter(move |out, state, value| print(out, state, value, &allowance));
    environment
}

/// The bytes that one rendering may still make; clones share them.
#[derive(Clone)]
struct Allowance(Arc<AtomicUsize>);

impl Default for Allowance {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(MAX_OUTPUT)))
    }
}

impl Allowance {
    fn spend(&self, bytes: usize) -> Result<(), Error> {
        let left = |left: usize| left.checked_sub(bytes);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left)
            .map(drop)
            .map_err(|_| too_long())
    }

    /// An empty text that can grow by what is left.
    fn piece(&self) -> Piece {
        Piece {
            text: String::new(),
            left: self.0.load(Ordering::Relaxed),
        }
    }
}

fn print(
    out: &mut Output<'_>,
    state: &State<'_, '_>,
    value: &Var,
    allowance: &Allowance,
) -> Result<(), Error> {
    if value.is_none() {
        return Ok(());
    }
    let mut piece = allowance.piece();
    write!(piece, "{value}").map_err(|_| too_long())?;
    allowance.spend(piece.text.len())?;
    escape_formatter(out, state, &Var::from(piece.text))
}

fn replace(text: &str, from: &str, to: &str, allowance: &Allowance) -> Result<String, Error> {
    let growth = to.len().saturating_sub(from.len());
    let growth = text.matches(from).count().saturating_mul(growth);
    allowance.spend(growth.saturating_add(text.len()))?;
    Ok(text.replace(from, to))
}

fn join(list: &Var, between: Option<&str>, allowance: &Allowance) -> Result<String, Error> {
    let mut joined = allowance.piece();
    for (place, item) in list.try_iter()?.enumerate() {
        let between = between.filter(|_| place > 0).unwrap_or_default();
        write!(joined, "{between}{item}").map_err(|_| too_long())?;
    }
    allowance.spend(joined.text.len())?;
    Ok(joined.text)
}

fn range(first: i64, second: Option<i64>, step: Option<i64>) -> Result<Vec<i64>, Error> {
    let (from, to) = second.map_or((0, first), |to| (first, to));
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "`range` cannot step by 0",
        ));
    }
    let inside = |at: &i64| if step > 0 { *at < to } else { *at > to };
    let numbers: Vec<i64> = std::iter::successors(Some(from), |at| at.checked_add(step))
        .take_while(inside)
        .take(MAX_RANGE + 1)
        .collect();
    if numbers.len() > MAX_RANGE {
        let why = format!("`range` makes at most {MAX_RANGE} numbers");
        return Err(Error::new(ErrorKind::InvalidOperation, why));
    }
    Ok(numbers)
}

fn too_long() -> Error {
    let why = format!("the text is longer than {MAX_OUTPUT} bytes");
    Error::new(ErrorKind::InvalidOperation, why)
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

/// A text with an end to what it takes.
struct Piece {
    text: String,
    left: usize,
}

impl fmt::Write for Piece {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        self.text.push_str(text);
        Ok(())
    }
}

/// The whole output, which ends at its bound.
#[derive(Default)]
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
