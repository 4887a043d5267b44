//! The engine that templates run in: how much it may do, print and make, and which filters it has.

use std::{
    fmt::{self, Write as _},
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value as Var,
    escape_formatter,
};

/// Instructions of one rendering; a post needs some hundreds.
const FUEL: u64 = 5_000;

/// Bytes that one rendering may print, captures included, and make by filters that lengthen texts.
pub(super) const MAX_OUTPUT: usize = 512 * 1024;

/// The longest `range`.
const MAX_RANGE: usize = 1000;

/// Filters that make texts or lists of any size from a number, or show the inside of values.
const NO_FILTERS: [&str; 8] = [
    "indent", "format", "pprint", "batch", "slice", "attr", "zip", "chain",
];

/// Functions that are of no use in a post.
const NO_FUNCTIONS: [&str; 3] = ["debug", "namespace", "dict"];

/// How values are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Printing {
    /// As they are.
    Plain,
    /// Percent-encoded, but for what is unreserved in URLs (RFC 3986, section 2.3).
    Encoded,
}

/// An engine for one rendering.
pub(super) fn engine<'a>(printing: Printing) -> Environment<'a> {
    let mut engine = Environment::new();
    engine.set_debug(false);
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    engine.set_fuel(Some(FUEL));
    engine.set_recursion_limit(50);
    NO_FILTERS
        .iter()
        .for_each(|name| engine.remove_filter(name));
    NO_FUNCTIONS
        .iter()
        .for_each(|name| engine.remove_global(name));
    engine.add_function("range", range);
    make_within(&mut engine, printing, Allowance::default());
    engine
}

/// What prints and what lengthens texts shares one allowance.
fn make_within(engine: &mut Environment<'_>, printing: Printing, allowance: Allowance) {
    let paid = allowance.clone();
    engine.add_filter("replace", move |text: &str, from: &str, to: &str| {
        replace(text, from, to, &paid)
    });
    let paid = allowance.clone();
    engine.add_filter("join", move |list: &Var, between: Option<&str>| {
        join(list, between, &paid)
    });
    let paid = allowance.clone();
    engine.add_filter("tojson", move |value: &Var| as_json(value, &paid));
    engine.set_formatter(move |out, state, value| print(out, state, value, printing, &allowance));
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
    printing: Printing,
    allowance: &Allowance,
) -> Result<(), Error> {
    if value.is_none() {
        return Ok(());
    }
    let mut piece = allowance.piece();
    write!(piece, "{value}").map_err(|_| too_long())?;
    if printing == Printing::Encoded {
        piece = encoded(&piece.text, allowance)?;
    }
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

fn encoded(text: &str, allowance: &Allowance) -> Result<Piece, Error> {
    let mut piece = allowance.piece();
    for byte in text.bytes() {
        let written = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                piece.write_char(char::from(byte))
            }
            _ => write!(piece, "%{byte:02X}"),
        };
        written.map_err(|_| too_long())?;
    }
    Ok(piece)
}

/// For bodies of requests; a text comes with its quotes.
fn as_json(value: &Var, allowance: &Allowance) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    let mut output = Bounded::default();
    serde_json::to_writer(&mut output, value).map_err(|_| too_long())?;
    allowance.spend(output.0.len())?;
    String::from_utf8(output.0).map_err(|_| too_long())
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
pub(super) struct Bounded(pub(super) Vec<u8>);

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
