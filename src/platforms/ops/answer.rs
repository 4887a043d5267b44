//! What the answer to a notice means, the same for every channel.
//!
//! 2xx: it is taken, whatever the body says and whether or not it ends. 408, 425, 429, 5xx: later, and when. 3xx: the
//! address is wrong, which somebody may put right: later. Any other 4xx: never.

use std::time::Duration;

use reqwest::{Response, StatusCode, header::HeaderMap};
use secrecy::SecretString;

use super::{NotDelivered, address};
use crate::{clock::Clock, domain::text::bounded, outbound::retry_after};

/// So much of an answer is read, in bytes; the connection is closed on the rest.
const MOST_BYTES: usize = 4096;

/// The longest quotation of the other side's words, in characters.
const LONGEST_QUOTE: usize = 200;

/// An answer whose body has not been read yet.
pub(super) struct Answer {
    /// Who answers: an origin.
    origin: String,
    response: Response,
}

impl Answer {
    pub(super) const fn new(origin: String, response: Response) -> Self {
        Self { origin, response }
    }

    pub(super) fn is_success(&self) -> bool {
        self.response.status().is_success()
    }

    /// The beginning of the body, as far as it comes.
    pub(super) async fn body(self) -> String {
        read(self.response).await
    }

    /// Whether it is taken. `secrets` are not shown if the answer quotes them.
    pub(super) async fn verdict(
        self,
        clock: &Clock,
        secrets: &[SecretString],
    ) -> Result<(), NotDelivered> {
        let (status, headers) = (self.response.status(), self.response.headers().clone());
        if status.is_success() {
            return Ok(());
        }
        let body = read(self.response).await;
        let after = retry_after::wait(&headers, &body, clock.now());
        let said = quote(&headers, body, secrets);
        let reason = format!("{} answered {}{said}", self.origin, status.as_u16());
        Err(refused(status, reason, after))
    }
}

fn refused(status: StatusCode, reason: String, after: Option<Duration>) -> NotDelivered {
    match status.as_u16() {
        408 | 425 | 429 | 500.. => NotDelivered::Later { reason, after },
        300..=399 => NotDelivered::Later {
            reason: format!("{reason}; redirects are not followed: is the URL right?"),
            after,
        },
        _ => NotDelivered::Never(reason),
    }
}

/// What has come before the bound, the deadline of the request or a cut.
async fn read(mut response: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MOST_BYTES {
            body.truncate(MOST_BYTES);
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// `: …`; a page for people says nothing that fits into a line.
fn quote(headers: &HeaderMap, body: String, secrets: &[SecretString]) -> String {
    let kind = headers.get("content-type");
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let said = address::redacted(body, secrets);
    match said.trim() {
        said if said.is_empty() || is_page => String::new(),
        said => format!(": {}", bounded(said, LONGEST_QUOTE)),
    }
}
