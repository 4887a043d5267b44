//! What is printed where: answers on standard output, either as the API gave them or as people read them.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use super::{Failure, table::Look, text};
use crate::{client::Reply, clock::Clock};

/// Prints, as the user wants it.
pub(super) struct Output {
    json: bool,
    look: Look,
    clock: Clock,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            look: Look::of_output(),
            clock: Clock::process(),
        }
    }

    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    pub(super) const fn look(&self) -> Look {
        self.look
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Prints an answer: as it came, or as `render` shows it.
    pub(super) fn show<T>(
        &self,
        reply: &Reply<T>,
        render: impl FnOnce(&T, Look, DateTime<Utc>) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            self.document(reply.text())
        } else {
            Self::print(&render(reply, self.look, self.now()))
        }
    }

    /// Prints a JSON document.
    pub(super) fn document(&self, json: &str) -> Result<(), Failure> {
        Self::print(&(text::json(json.trim()) + "\n"))
    }

    /// Prints a text.
    pub(super) fn print(text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::Unread),
            Err(error) => Err(Failure::Other(format!("cannot write: {error}"))),
            Ok(()) => Ok(()),
        }
    }
}
