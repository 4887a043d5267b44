//! How long the other side wants to be left alone: `Retry-After` in both of its forms (RFC 9110, section 10.2.3), or
//! Discord's `retry_after` in the body of a 429.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::domain::Instant;

/// Waits outside these bounds are a mistake of somebody's.
const BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));

/// The obsolete forms of a date, which must still be read (RFC 9110, section 5.6.7).
const OBSOLETE: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// The wait that an answer asks for, at least a second and at most an hour. A date is compared with the answer's own `Date`, so
/// that a clock that is wrong on either side does no harm; without one with `now`.
#[must_use]
pub fn wait(headers: &HeaderMap, body: &str, now: Instant) -> Option<Duration> {
    let seconds = header(headers, now).or_else(|| in_body(body))?;
    let (shortest, longest) = BOUNDS;
    let seconds = seconds.clamp(shortest.as_secs_f64(), longest.as_secs_f64());
    Some(Duration::from_secs_f64(seconds))
}

fn header(headers: &HeaderMap, now: Instant) -> Option<f64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return text.parse().ok();
    }
    let sent = headers.get(DATE).and_then(|date| date.to_str().ok());
    let sent = sent.and_then(date).unwrap_or(now);
    let wait = (date(text)? - sent).to_std().unwrap_or_default();
    Some(wait.as_secs_f64())
}

fn date(text: &str) -> Option<Instant> {
    let usual = DateTime::parse_from_rfc2822(text).ok();
    let usual = usual.map(|date| date.to_utc());
    let obsolete = || {
        let mut forms = OBSOLETE.iter();
        let date = forms.find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        date.map(|date| date.and_utc())
    };
    usual.or_else(obsolete)
}

fn in_body(body: &str) -> Option<f64> {
    let body: Value = serde_json::from_str(body).ok()?;
    let seconds = body.get("retry_after")?.as_f64()?;
    (seconds >= 0.0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(retry_after: &str, date: Option<&str>, body: &str) -> Option<f64> {
        let mut headers = HeaderMap::new();
        if !retry_after.is_empty() {
            headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        }
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        let now = DateTime::from_timestamp(784_111_777, 0).unwrap();
        wait(&headers, body, now).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn a_wait_is_seconds_or_a_date_and_bounded() {
        for (text, seconds) in [
            ("120", Some(120.0)),
            (" 1.5 ", Some(1.5)),
            ("0", Some(1.0)),
            ("999999999999999999999999", Some(3600.0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60.0)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60.0)),
            ("Sun Nov  6 08:50:37 1994", Some(60.0)),
            ("Sun, 06 Nov 1994 00:00:00 GMT", Some(1.0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(3600.0)),
            ("-5", None),
            ("soon", None),
            ("1e", None),
            ("", None),
        ] {
            assert_eq!(asked(text, None, ""), seconds, "{text}");
        }
    }

    #[test]
    fn a_date_is_compared_with_the_time_of_the_one_who_wrote_it() {
        let date = "Tue, 15 Nov 1994 12:45:26 GMT";
        let later = "Tue, 15 Nov 1994 12:45:36 GMT";
        assert_eq!(asked(later, Some(date), ""), Some(10.0));
        assert_eq!(asked(later, Some("yesterday"), ""), Some(3600.0));
    }

    #[test]
    fn the_body_is_asked_when_there_is_no_header() {
        for (body, seconds) in [
            (r#"{"retry_after": 64.57, "global": false}"#, Some(64.57)),
            (r#"{"retry_after": 0.2}"#, Some(1.0)),
            (r#"{"retry_after": -1}"#, None),
            (r#"{"retry_after": "60"}"#, None),
            (r#"{"retry_after": 1e999}"#, None),
            ("[1]", None),
            ("<html>", None),
        ] {
            assert_eq!(asked("", None, body), seconds, "{body}");
        }
        assert_eq!(asked("7", None, r#"{"retry_after": 64}"#), Some(7.0));
    }
}
