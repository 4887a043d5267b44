//! Structured logs on standard error; standard output belongs to the console platform.
//!
//! One event is one line. What comes from outside (a platform's answer, a name, a panic's text) may be in it, and cannot
//! make it look like two.

mod escape;
mod json;
mod text;

use std::io::{self, IsTerminal};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter,
    fmt::{self, format::JsonFields},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// How a log line is written (`LOG_FORMAT`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Reads `text` or `json`.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "text" | "" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!(
                "LOG_FORMAT is `{}`; use `text` or `json`",
                other.escape_debug()
            )),
        }
    }
}

/// Lines that wait for a slow reader of standard error; more are dropped, because a reader must not hold up the bots.
const WAITING_LINES: usize = 64_000;

/// What is logged unless `RUST_LOG` says otherwise. The HTTP framework takes every malformed request for an error of ours,
/// and tells of its threads.
const DEFAULT_FILTER: &str = "info,actix_http=off,actix_server=warn";

/// Starts logging, once a process: what `filter` (`RUST_LOG`, by default `info`) lets through. What is dropped last writes
/// what still waits.
///
/// # Errors
/// The filter cannot be read.
pub fn start(format: LogFormat, filter: Option<&str>) -> Result<WorkerGuard, String> {
    let filter = match filter.filter(|text| !text.is_empty()) {
        Some(text) => EnvFilter::try_new(text).map_err(|error| format!("RUST_LOG: {error}"))?,
        None => EnvFilter::new(DEFAULT_FILTER),
    };
    let lines = NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES);
    let (writer, guard) = lines.finish(io::stderr());
    let registry = tracing_subscriber::registry().with(filter);
    let started = match format {
        LogFormat::Text => {
            let lines = fmt::layer()
                .fmt_fields(text::Fields)
                .event_format(text::Text)
                .with_writer(writer)
                .with_ansi(io::stderr().is_terminal());
            registry.with(lines).try_init()
        }
        LogFormat::Json => {
            let lines = fmt::layer()
                .fmt_fields(JsonFields::new())
                .event_format(json::Json)
                .with_writer(writer)
                .with_ansi(false);
            registry.with(lines).try_init()
        }
    };
    started.map_err(|error| error.to_string())?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(guard)
}

/// A panic is one line like any other; who is concerned hears of it through supervision.
fn log_panic(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let text = info.payload_as_str().unwrap_or("a panic without a text");
    tracing::error!(place, text, "panic");
}
