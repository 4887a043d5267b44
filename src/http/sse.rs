//! Server-sent events (HTML Living Standard, section 9.2): frames, and the body of a stream.
//!
//! Data is one line of JSON, in which a line break cannot stand. A frame that has an id and no data says how far the
//! stream is without telling anything, so that a client that wants few events still comes back to the right place.

use std::{convert::Infallible, fmt::Write, time::Duration};

use bytes::Bytes;
use futures::{Stream, stream};
use serde::Serialize;

use super::view::happening::{Interruption, Line};
use crate::{
    actors::news::{Gap, Heard, Listener, Told},
    clock::Clock,
};

/// How long a client waits before it comes back, in milliseconds.
const RETRY_MS: u32 = 2000;
/// After so much silence something is sent, so that nobody on the way takes the connection for dead.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

struct Feed {
    listener: Listener,
    clock: Clock,
    heartbeat: Duration,
    opened: bool,
    ended: bool,
}

/// What a listener hears, until it is dropped or the process stops; something is sent at least every `heartbeat`.
pub fn body(
    listener: Listener,
    clock: Clock,
    heartbeat: Duration,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let feed = Feed {
        listener,
        clock,
        heartbeat,
        opened: false,
        ended: false,
    };
    stream::unfold(feed, |mut feed| async move {
        let chunk = feed.chunk().await?;
        Some((Ok(chunk.into()), feed))
    })
}

impl Feed {
    async fn chunk(&mut self) -> Option<String> {
        if self.ended {
            return None;
        }
        if !std::mem::replace(&mut self.opened, true) {
            return Some(self.opening());
        }
        match tokio::time::timeout(self.heartbeat, self.listener.next()).await {
            Ok(Heard::Told(first)) => Some(self.happenings(&first)),
            Ok(Heard::Dropped) => {
                self.ended = true;
                Some(self.interruption("dropped", Interruption::dropped(self.clock.now())))
            }
            Ok(Heard::Closed) => None,
            Err(_) => Some(self.heartbeat()),
        }
    }

    fn opening(&self) -> String {
        let start = format!("retry: {RETRY_MS}\n{}\n", self.position());
        let reason = match self.listener.gap() {
            None => return start,
            Some(Gap::Unknown) => "unknown_id",
            Some(Gap::TooOld) => "too_old",
        };
        let gap = Interruption::gap(self.clock.now(), reason);
        start + &self.interruption("gap", gap)
    }

    /// All that is at hand goes in one piece.
    fn happenings(&mut self, first: &Told) -> String {
        let mut frames = frame(first);
        while let Some(told) = self.listener.at_hand() {
            frames.push_str(&frame(&told));
        }
        frames
    }

    fn interruption(&self, event: &str, data: Interruption) -> String {
        format!("event: {event}\n{}{}", self.position(), data_line(&data))
    }

    fn heartbeat(&self) -> String {
        format!(":\n{}\n", self.position())
    }

    /// The id of the newest happening, if the client knows all that it wants up to it.
    fn position(&self) -> String {
        let mut line = String::new();
        if let Some(id) = self.listener.position() {
            let _ = writeln!(line, "id: {id}");
        }
        line
    }
}

fn frame(told: &Told) -> String {
    let (event, data) = (told.what.kind().as_str(), data_line(&Line::of(told)));
    format!("id: {}\nevent: {event}\n{data}", told.id)
}

fn data_line(data: &impl Serialize) -> String {
    let json = serde_json::to_string(data).unwrap_or_default();
    format!("data: {json}\n\n")
}
