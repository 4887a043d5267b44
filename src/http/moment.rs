//! Moments in requests.

use chrono::{DateTime, Datelike, SubsecRound, Utc};

use super::error::Problem;
use crate::domain::Instant;

/// Reads an RFC 3339 time. A `+` that a client forgot to encode, and that has arrived as a space, is taken as meant.
///
/// # Errors
/// It is none, or its year (in UTC) is not 0 to 9999.
pub fn read(name: &str, text: &str) -> Result<Instant, Problem> {
    let found = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_rfc3339(&text.replace(' ', "+")))
        .map(|time| time.with_timezone(&Utc).trunc_subsecs(6));
    let found = found.ok().filter(|time| (0..=9999).contains(&time.year()));
    found.ok_or_else(|| {
        Problem::bad_request(format!(
            "`{name}` is `{}`; it must be a time such as 2026-03-01T09:00:00Z",
            text.escape_debug()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_any_offset_are_read_also_with_a_plus_that_was_not_encoded() {
        let noon = read("since", "2026-03-01T12:00:00Z").unwrap();
        for text in [
            "2026-03-01T13:00:00+01:00",
            "2026-03-01T13:00:00 01:00",
            "2026-03-01T12:00:00.0000009Z",
        ] {
            assert_eq!(read("since", text).unwrap(), noon, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_by_name() {
        for text in [
            "",
            "now",
            "2026-03-01",
            "2026-13-01T00:00:00Z",
            "9999-12-31T23:59:59-23:59",
        ] {
            let problem = read("since", text).unwrap_err();
            assert_eq!(problem.status, 400);
            assert!(
                problem.detail.starts_with("`since` is `"),
                "{}",
                problem.detail
            );
        }
    }
}
