//! The live stream: what happens, as it happens, also across cut connections.
//!
//! The first connection must come about. After that a cut one is made anew, with growing pauses, from the last event on
//! that was seen; only an answer that says no (a token that has expired, say) ends the stream.

mod parser;

use std::time::Duration;

use reqwest::{Method, Response, header::HeaderValue};
use serde::Serialize;
use serde_json::Value;

use super::{Client, Error, transport::is_event_stream};
use parser::{Frame, Parser};

/// The first pause before a new connection; the server may name another.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Happening {
    /// By which a later stream is resumed behind it.
    pub id: Option<String>,
    /// What kind of thing.
    pub kind: String,
    /// The rest, as it came: a JSON document.
    pub data: String,
}

impl Happening {
    #[cfg(test)]
    pub(crate) fn from_parts(id: Option<&str>, kind: &str, data: &str) -> Self {
        Self {
            id: id.map(Into::into),
            kind: kind.into(),
            data: data.into(),
        }
    }

    /// The rest as a value; null if it is no JSON.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_default()
    }
}

/// Which happenings; all without it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StreamFilter {
    /// Only what is about this bot.
    pub actor: Option<String>,
    /// Only these kinds, separated by commas, such as `run_ended,hold_set`.
    pub events: Option<String>,
}

/// Listens to one server.
pub struct Listener<'a> {
    client: &'a Client,
    filter: StreamFilter,
    last: Option<String>,
    open: Option<(Response, Parser)>,
    /// Whether there has been a connection.
    was_open: bool,
    first_pause: Duration,
    pause: Duration,
}

impl Client {
    /// Listens to what happens from now on, or behind the event with this id, as far as the server remembers.
    #[must_use]
    pub fn stream(&self, last_event_id: Option<String>) -> Listener<'_> {
        self.stream_of(StreamFilter::default(), last_event_id)
    }

    /// The same, of some happenings only.
    #[must_use]
    pub const fn stream_of(
        &self,
        filter: StreamFilter,
        last_event_id: Option<String>,
    ) -> Listener<'_> {
        Listener {
            client: self,
            filter,
            last: last_event_id,
            open: None,
            was_open: false,
            first_pause: FIRST_PAUSE,
            pause: FIRST_PAUSE,
        }
    }

    async fn open_stream(
        &self,
        filter: &StreamFilter,
        last: Option<&str>,
    ) -> Result<Response, Error> {
        let request = self.request(Method::GET, &["api", "v1", "stream"])?;
        let mut request = request.query(filter).header("Accept", "text/event-stream");
        if let Some(last) = last.and_then(|id| HeaderValue::from_str(id).ok()) {
            request = request.header("Last-Event-ID", last);
        }
        let exchange = async {
            let response = request.send().await.map_err(|error| self.failed(&error))?;
            if response.status().is_success() && is_event_stream(&response) {
                return Ok(response);
            }
            let received = self.receive(response).await?;
            Err(received.problem(&self.address))
        };
        self.within(self.timeouts.request, exchange).await
    }
}

impl Listener<'_> {
    /// The next thing that happens, however long that takes.
    ///
    /// # Errors
    /// See [`Error`]: the first connection failed, or the server says no.
    pub async fn next(&mut self) -> Result<Happening, Error> {
        loop {
            if let Some(Frame { id, kind, data }) = self.next_frame().await {
                self.pause = self.first_pause;
                if id.is_some() {
                    // An empty one means that there is no place to come back to.
                    self.last = id.clone().filter(|id| !id.is_empty());
                }
                match data {
                    Some(data) => return Ok(Happening { id, kind, data }),
                    None => continue,
                }
            }
            self.connect().await?;
        }
    }

    /// The id of the last event, by which another stream can go on.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// The next frame of the open connection; `None` if there is none (any more).
    async fn next_frame(&mut self) -> Option<Frame> {
        let silence = self.client.timeouts.silence;
        let (response, parser) = self.open.as_mut()?;
        loop {
            if let Some(frame) = parser.next() {
                return Some(frame);
            }
            if let Some(retry) = parser.retry() {
                self.first_pause = retry.min(LONGEST_PAUSE);
            }
            match tokio::time::timeout(silence, response.chunk()).await {
                Ok(Ok(Some(chunk))) if parser.feed(&chunk) => {}
                _ => {
                    self.open = None;
                    return None;
                }
            }
        }
    }

    async fn connect(&mut self) -> Result<(), Error> {
        if self.was_open {
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        let last = self.last.as_deref();
        match self.client.open_stream(&self.filter, last).await {
            Ok(response) => {
                self.was_open = true;
                self.open = Some((response, Parser::default()));
                Ok(())
            }
            Err(error) if self.was_open && error.is_passing() => Ok(()),
            Err(error) => Err(error),
        }
    }
}
