//! One look at one feed: asks whether it has changed, and reads it if it has (RFC 9110, section 13).

use reqwest::{
    Method, StatusCode, Url,
    header::{self, HeaderName, HeaderValue},
};

use super::{Settings, entry, guard, guard_json};
use crate::{
    domain::{
        content::{FeedLook, FeedState},
        text::bounded,
    },
    outbound::{Incoming, Outbound, Outgoing, retry_after},
    skills::{RunContext, SkillError, outside, patience::Patience},
};

/// What is asked for; servers choose by it.
const ACCEPT: &str = "application/feed+json, application/atom+xml, application/rss+xml, application/json;q=0.9, \
                      application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5";

/// Bytes of a validator that is worth keeping.
const LONGEST_VALIDATOR: usize = 500;

/// What came of a look.
pub(super) struct Looked {
    /// Entries of the feed that are worth keeping.
    pub(super) entries: usize,
    /// Those that the table did not know.
    pub(super) new: u64,
}

/// Where to look, and by which way.
pub(super) struct Eye<'a> {
    pub(super) outbound: &'a Outbound,
    pub(super) patience: &'a Patience,
    pub(super) settings: &'a Settings<'a>,
    pub(super) table: &'a str,
}

impl Eye<'_> {
    /// `None` if the feed is as it was at the last look.
    pub(super) async fn look(
        &self,
        run: &RunContext<'_>,
        url: &Url,
    ) -> Result<Option<Looked>, SkillError> {
        self.patience.check(url)?;
        let known = run.shelf.feed(self.table, url.as_str()).await?;
        let answer = self.outbound.send(self.request(url, known.as_ref())).await;
        let answer = answer.map_err(|error| outside::unanswered(&error))?;
        match answer.status {
            StatusCode::NOT_MODIFIED if known.is_some() => Ok(None),
            StatusCode::OK => self.take(run, url, &answer).await.map(Some),
            status => {
                let wait = retry_after::wait(&answer.headers, "", run.now);
                let busy = matches!(status.as_u16(), 429 | 503);
                let origin = url.origin().ascii_serialization();
                Err(match wait.filter(|_| busy) {
                    Some(wait) => self.patience.have(url, wait),
                    None => outside::unwanted(&origin, status),
                })
            }
        }
    }

    fn request(&self, url: &Url, known: Option<&FeedState>) -> Outgoing {
        let mut request = Outgoing::new(Method::GET, url.clone())
            .header(header::ACCEPT, HeaderValue::from_static(ACCEPT));
        request.bounds = self.settings.bounds;
        let etag = known.and_then(|known| known.etag.as_ref());
        let since = known.and_then(|known| known.last_modified.as_ref());
        for (name, value) in [
            (header::IF_NONE_MATCH, etag),
            (header::IF_MODIFIED_SINCE, since),
        ] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                request = request.header(name, value);
            }
        }
        request
    }

    async fn take(
        &self,
        run: &RunContext<'_>,
        url: &Url,
        answer: &Incoming,
    ) -> Result<Looked, SkillError> {
        let given = entry::Given {
            url,
            priority: self.settings.priority,
            tags: &self.settings.tags,
        };
        let feed = parse(answer).map_err(|why| {
            let origin = url.origin().ascii_serialization();
            SkillError::unrecoverable(format!("what {origin} answers with {why}"))
        })?;
        let items = entry::items(feed, self.settings.max_items, &given);
        let entries = items.len();
        let look = FeedLook {
            table: self.table.to_owned(),
            url: url.to_string(),
            state: FeedState {
                etag: validator(answer, &header::ETAG),
                last_modified: validator(answer, &header::LAST_MODIFIED),
                read_at: Some(run.now),
            },
            items,
            at: run.now,
        };
        let new = run.shelf.take_feed(look).await?;
        Ok(Looked { entries, new })
    }
}

fn parse(answer: &Incoming) -> Result<feed_rs::model::Feed, String> {
    let mark = b"\xef\xbb\xbf";
    let body = answer.body.strip_prefix(mark).unwrap_or(&answer.body);
    guard::check(body)?;
    let reader = feed_rs::parser::Builder::new()
        .base_uri(Some(&answer.url))
        .sanitize_content(false)
        .build();
    let body = guard_json::with_ids_as_texts(body);
    reader.parse(&*body).map_err(|error| {
        let kind = answer.headers.get(header::CONTENT_TYPE);
        let kind = kind
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or("no type");
        let (kind, error) = (bounded(kind, 60), bounded(&error.to_string(), 200));
        format!("is no feed ({kind}): {error}")
    })
}

fn validator(answer: &Incoming, name: &HeaderName) -> Option<String> {
    let value = answer.headers.get(name)?.to_str().ok()?;
    (value.len() <= LONGEST_VALIDATOR).then(|| value.to_owned())
}
