//! What the environment says about traces, by the OpenTelemetry specification (SDK environment variables, OTLP exporter).
//!
//! A variable that is set to nothing counts as unset, and one for traces wins over the one for all signals. Where the
//! specification would have a wrong value ignored, it is a problem here, said at the start.

mod endpoint;
mod pairs;
mod sampler;

use std::{ffi::OsString, fs, time::Duration};

use opentelemetry_sdk::trace::Sampler;
use reqwest::{Certificate, Url};
use secrecy::SecretString;

/// Looks up environment variables; [`std::env::var_os`] outside tests.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// How to send traces.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to; without credentials.
    pub(super) endpoint: Url,
    /// Sent with every request; values may be secrets.
    pub(super) headers: Vec<(String, SecretString)>,
    /// The longest that a batch may take, with its retries.
    pub(super) timeout: Duration,
    /// Whether batches are compressed.
    pub(super) compressed: bool,
    /// Trusted beside the usual authorities.
    pub(super) certificates: Vec<Certificate>,
    /// `service.name`.
    pub(super) service: String,
    /// What else is said about this process.
    pub(super) resource: Vec<(String, String)>,
    /// Which traces are recorded.
    pub(super) sampler: Sampler,
    /// How ended spans wait.
    pub(super) queue: Queue,
}

/// How ended spans wait for their batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queue {
    /// Spans that may wait.
    pub(super) longest: usize,
    /// Spans in one request.
    pub(super) batch: usize,
    /// The longest that a span waits for others.
    pub(super) delay: Duration,
}

impl Settings {
    /// Reads the environment; `None` if traces are off.
    ///
    /// # Errors
    /// Every problem: what is wrong, and what would be right. Values of headers are in none.
    pub fn read(lookup: Lookup<'_>) -> Result<Option<Self>, Vec<String>> {
        let mut reader = Reader {
            lookup,
            problems: Vec::new(),
        };
        let settings = reader.settings();
        if reader.problems.is_empty() {
            Ok(settings)
        } else {
            Err(reader.problems)
        }
    }

    /// Where to, for the log.
    pub(super) fn shown_endpoint(&self) -> String {
        let mut shown = self.endpoint.clone();
        shown.set_query(None);
        shown.into()
    }
}

struct Reader<'a> {
    lookup: Lookup<'a>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn settings(&mut self) -> Option<Settings> {
        let named = self.traces_or_all("ENDPOINT");
        if named.is_none() || self.is_disabled() || self.has_no_exporter() {
            return None;
        }
        self.protocol();
        let endpoint = self.endpoint();
        let mut resource = self.pairs("OTEL_RESOURCE_ATTRIBUTES");
        let named = resource.iter().position(|(key, _)| key == "service.name");
        let named = named.map(|at| resource.remove(at).1);
        let service = self.get("OTEL_SERVICE_NAME").or(named);
        let settings = Settings {
            endpoint: endpoint?,
            headers: self.headers(),
            timeout: self.timeout(),
            compressed: self.is_compressed(),
            certificates: self.certificates(),
            service: service.unwrap_or_else(|| env!("CARGO_PKG_NAME").into()),
            resource,
            sampler: self.sampler(),
            queue: self.queue(),
        };
        Some(settings)
    }

    /// The value of a variable; `None` when it is unset or empty.
    fn get(&mut self, name: &str) -> Option<String> {
        let value = (self.lookup)(name).filter(|value| !value.is_empty())?;
        let text = value.into_string();
        if text.is_err() {
            self.wrong(name, "is no UTF-8 text");
        }
        text.ok()
    }

    /// `OTEL_EXPORTER_OTLP_TRACES_…`, or `OTEL_EXPORTER_OTLP_…`: the name of the one that is set, and its value.
    fn traces_or_all(&mut self, what: &str) -> Option<(String, String)> {
        ["OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"]
            .map(|start| format!("{start}{what}"))
            .into_iter()
            .find_map(|name| self.get(&name).map(|value| (name, value)))
    }

    fn wrong(&mut self, name: &str, what: impl std::fmt::Display) {
        self.problems.push(format!("{name} {what}"));
    }

    fn is_disabled(&mut self) -> bool {
        let name = "OTEL_SDK_DISABLED";
        match self
            .get(name)
            .map(|value| value.to_ascii_lowercase())
            .as_deref()
        {
            Some("true") => true,
            None | Some("false") => false,
            Some(other) => {
                let other = other.escape_debug();
                self.wrong(name, format!("is `{other}`; use `true` or `false`"));
                false
            }
        }
    }

    fn has_no_exporter(&mut self) -> bool {
        let name = "OTEL_TRACES_EXPORTER";
        match self.get(name).as_deref() {
            Some("none") => true,
            None | Some("otlp") => false,
            Some(other) => {
                let other = other.escape_debug();
                self.wrong(name, format!("is `{other}`; use `otlp` or `none`"));
                false
            }
        }
    }

    fn protocol(&mut self) {
        if let Some((name, value)) = self.traces_or_all("PROTOCOL")
            && value != "http/protobuf"
        {
            let value = value.escape_debug();
            let what = format!(
                "is `{value}`; traces are sent as `http/protobuf`, usually to port 4318 of a collector"
            );
            self.wrong(&name, what);
        }
    }

    fn is_compressed(&mut self) -> bool {
        match self.traces_or_all("COMPRESSION") {
            Some((_, value)) if value == "gzip" => true,
            Some((name, value)) if value != "none" => {
                let value = value.escape_debug();
                self.wrong(&name, format!("is `{value}`; use `gzip` or `none`"));
                false
            }
            _ => false,
        }
    }

    fn certificates(&mut self) -> Vec<Certificate> {
        let Some((name, file)) = self.traces_or_all("CERTIFICATE") else {
            return Vec::new();
        };
        let read = fs::read(&file).map_err(|error| error.to_string());
        let read = read
            .and_then(|pem| Certificate::from_pem_bundle(&pem).map_err(|error| error.to_string()));
        let file = file.escape_debug();
        match read {
            Ok(certificates) if !certificates.is_empty() => certificates,
            Ok(_) => {
                self.wrong(
                    &name,
                    format!("names `{file}`, which has no PEM certificate"),
                );
                Vec::new()
            }
            Err(error) => {
                self.wrong(
                    &name,
                    format!("names `{file}`, which cannot be read: {error}"),
                );
                Vec::new()
            }
        }
    }

    /// The shorter of what the exporter and what the queue may wait.
    fn timeout(&mut self) -> Duration {
        let exporter = match self.traces_or_all("TIMEOUT") {
            Some((name, value)) => self.milliseconds(&name, &value),
            None => None,
        };
        let exporter = exporter.unwrap_or(Duration::from_secs(10));
        let queue = self.milliseconds_of("OTEL_BSP_EXPORT_TIMEOUT");
        exporter.min(queue.unwrap_or(Duration::from_secs(30)))
    }

    fn queue(&mut self) -> Queue {
        let delay = self.milliseconds_of("OTEL_BSP_SCHEDULE_DELAY");
        let longest = self.number_of("OTEL_BSP_MAX_QUEUE_SIZE").unwrap_or(2048);
        let name = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
        let batch = self.number_of(name).unwrap_or(512.min(longest));
        if batch > longest {
            let what = format!("is {batch}; at most as many as the queue takes: {longest}");
            self.wrong(name, what);
        }
        Queue {
            longest,
            batch,
            delay: delay.unwrap_or(Duration::from_secs(5)),
        }
    }

    fn number_of(&mut self, name: &str) -> Option<usize> {
        /// Far more than there is memory for.
        const MOST: usize = 1_000_000;
        let value = self.get(name)?;
        let number = value.parse().ok().filter(|n| (1..=MOST).contains(n));
        if number.is_none() {
            let value = value.escape_debug();
            self.wrong(name, format!("is `{value}`; use a number from 1 to {MOST}"));
        }
        number
    }

    fn milliseconds_of(&mut self, name: &str) -> Option<Duration> {
        let value = self.get(name)?;
        self.milliseconds(name, &value)
    }

    fn milliseconds(&mut self, name: &str, value: &str) -> Option<Duration> {
        /// An hour.
        const MOST: u64 = 3_600_000;
        let number = value.parse().ok().filter(|n| (1..=MOST).contains(n));
        if number.is_none() {
            let value = value.escape_debug();
            self.wrong(
                name,
                format!("is `{value}`; use milliseconds from 1 to {MOST}"),
            );
        }
        number.map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests;
