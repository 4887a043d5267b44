//! What the skills that go outside share: their bounds, their URLs, and what their failures mean.

use std::{ops::RangeInclusive, time::Duration};

use reqwest::{StatusCode, Url};
use serde_json::Value;

use super::{
    SkillError,
    settings::{Reader, text, wanted},
};
use crate::{
    domain::{reach::check_form, text::bounded},
    outbound::{Bounds, OutboundError},
};

/// The keys of [`bounds`].
pub(super) const BOUND_KEYS: [&str; 3] = ["timeout_seconds", "max_bytes", "max_redirects"];

/// `timeout_seconds` (1 to 300), `max_bytes` (1 to `most_bytes`) and `max_redirects` (0 to 20), where they are set.
pub(super) fn bounds(reader: &mut Reader<'_>, usual: Bounds, most_bytes: u64) -> Bounds {
    let seconds = reader.value("timeout_seconds", |value| whole(value, 1..=300));
    let bytes = reader.value("max_bytes", |value| whole(value, 1..=most_bytes));
    let redirects = reader.value("max_redirects", |value| whole(value, 0..=20));
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Bounds {
        time: seconds.map_or(usual.time, Duration::from_secs),
        bytes: bytes.map_or(usual.bytes, size),
        redirects: redirects.map_or(usual.redirects, size),
    }
}

/// A whole number in a range.
pub(super) fn whole(value: &Value, range: RangeInclusive<u64>) -> Result<u64, String> {
    let number = value.as_u64().filter(|number| range.contains(number));
    let (least, most) = (range.start(), range.end());
    number.ok_or_else(|| wanted(&format!("a whole number from {least} to {most}"), value))
}

/// A URL that a request may be sent to. What is wrong with it is told without showing it: it may have a secret in it.
pub(super) fn url(value: &Value) -> Result<Url, String> {
    let url = Url::parse(text(value)?).map_err(|error| {
        format!("is no URL ({error}); use one such as `https://example.org/feed.xml`")
    })?;
    check_form(&url).map(|()| url)
}

/// No answer.
pub(super) fn unanswered(error: &OutboundError) -> SkillError {
    match error.is_transient() {
        true => SkillError::recoverable(error.to_string()),
        false => SkillError::unrecoverable(error.to_string()),
    }
}

/// An answer that is not the wanted one.
pub(super) fn unwanted(origin: &str, status: StatusCode) -> SkillError {
    let words = format!("{origin} answered {}", bounded(&status.to_string(), 60));
    match status.as_u16() {
        408 | 425 | 429 | 500..=599 => SkillError::recoverable(words),
        _ => SkillError::unrecoverable(words),
    }
}
