//! One request to the bot API and its whole answer, within the limits; the token is in nothing that anybody sees.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, Url, header::CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};

use super::{
    answer::Answer,
    limits::{Limits, Place, Route},
    options::{DiscordOptions, client, origin},
    pace::Pace,
    spans,
};
use crate::platforms::PostFailure;

/// The longest answer that is read. A message with all its embeds is far below.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// A hundred messages with all their embeds.
const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;

/// One token's way to Discord.
pub(super) struct Wire {
    client: Client,
    /// With `/` as its path.
    pub(super) origin: Url,
    token: SecretString,
    timeout: Duration,
    limits: Limits,
    pace: Pace,
}

/// What is asked.
pub(super) struct Question {
    pub(super) place: Place,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    /// Its type and its bytes; without one, it only reads.
    pub(super) body: Option<(String, Vec<u8>)>,
}

impl Wire {
    pub(super) fn new(options: &DiscordOptions) -> Result<Self, String> {
        let origin = origin(&options.api_url)?;
        let client = client(options, &origin)?
            .build()
            .map_err(|error| format!("cannot make an HTTP client: {error}"))?;
        Ok(Self {
            client,
            origin,
            token: options.token.clone(),
            timeout: options.timeout,
            limits: Limits::default(),
            pace: Pace::default(),
        })
    }

    /// Says so if a limit that was heard of lasts; else waits for its turn, sends, and hears what the answer says of limits.
    pub(super) async fn ask(&self, question: Question) -> Result<Answer, PostFailure> {
        self.check(&question.place)?;
        let turn = self.pace.turn().await;
        self.check(&question.place)?;
        let place = question.place.clone();
        let answer = self.send(question).await?;
        drop(turn);
        self.limits.hear(&place, &answer);
        Ok(answer)
    }

    /// Whether a limit that was heard of lasts.
    pub(super) fn check(&self, place: &Place) -> Result<(), PostFailure> {
        match self.limits.wait(place) {
            Some(wait) => Err(PostFailure::RateLimited(wait)),
            None => Ok(()),
        }
    }

    async fn send(&self, question: Question) -> Result<Answer, PostFailure> {
        let mut url = self.origin.clone();
        url.set_path(&question.path);
        if !question.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&question.query);
        }
        let route = question.place.route;
        let method = match question.body {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let span = spans::begin(&method, route, &url);
        let mut request = self.client.request(method, url);
        if let Some((kind, bytes)) = question.body {
            request = request.header(CONTENT_TYPE, kind).body(bytes);
        }
        let answer = self.answered(spans::told(request, &span), route).await;
        let answer = answer.map_err(|failure| self.redacted(failure));
        spans::end(&span, &answer);
        answer
    }

    async fn answered(&self, request: RequestBuilder, route: Route) -> Result<Answer, PostFailure> {
        let response = request
            .send()
            .await
            .map_err(|error| self.unreached(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let most = match route {
            Route::Read => MAX_PAGE_BYTES,
            _ => MAX_ANSWER_BYTES,
        };
        let body = match read(response, most).await {
            Ok(body) => body,
            // The status says enough, but for a success, which needs what it says.
            Err(_) if !status.is_success() => Vec::new(),
            Err(why) => return Err(self.unread(why)),
        };
        Ok(Answer::new(status, headers, body))
    }

    fn unreached(&self, error: reqwest::Error) -> PostFailure {
        let origin = self.origin.origin().ascii_serialization();
        if error.is_timeout() && !error.is_connect() {
            let waited = self.timeout;
            return PostFailure::TimedOut(format!("{origin} did not answer within {waited:?}"));
        }
        PostFailure::Transient(if error.is_connect() {
            format!("cannot connect to {origin}: {}", innermost(&error))
        } else {
            format!("the connection to {origin} was lost: {}", innermost(&error))
        })
    }

    fn unread(&self, why: Unread) -> PostFailure {
        PostFailure::Transient(match why {
            Unread::TooLong(most) => format!("Discord's answer is longer than {most} bytes"),
            Unread::Cut(error) if error.is_timeout() => {
                let waited = self.timeout;
                let text = format!("Discord's answer did not end within {waited:?}");
                return PostFailure::TimedOut(text);
            }
            Unread::Cut(error) => format!("Discord's answer was cut: {}", innermost(&error)),
        })
    }

    /// An answer may quote anything; the token is taken out of what is shown.
    pub(super) fn redacted(&self, failure: PostFailure) -> PostFailure {
        let token = self.token.expose_secret();
        failure.map(|text| match token {
            "" => text,
            token => text.replace(token, "***"),
        })
    }
}

enum Unread {
    TooLong(usize),
    Cut(reqwest::Error),
}

async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unread::Cut)? {
        if body.len() + chunk.len() > most {
            return Err(Unread::TooLong(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The cause at the bottom, which says more than the layers above it, and no address.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
