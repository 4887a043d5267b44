//! What operators may say with their wishes: bounded, and refused with what would be right.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        Instant,
        hold::{Hold, HoldKind},
        json::depth,
        text::has_nul,
    },
    http::{error::Problem, moment},
};

/// The longest reason or note, in characters.
const LONGEST: usize = 500;
/// Arrays and objects inside one another: what is stored with a run wraps some more around them, and has to be read again.
const DEEPEST: usize = 64;

/// Why and how long.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PauseRequest {
    /// For people: why
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// When the bot goes on by itself: RFC 3339, in the future; until somebody resumes it if none is given
    #[schema(format = DateTime)]
    until: Option<String>,
}

impl PauseRequest {
    /// The hold that is meant.
    pub(super) fn hold(self, by: &str, now: Instant) -> Result<Hold, Problem> {
        let until = self
            .until
            .as_deref()
            .map(|text| moment::read("until", text));
        let until = until.transpose()?;
        if until.is_some_and(|until| until <= now) {
            return Err(Problem::bad_request(
                "`until` is in the past; it must be in the future",
            ));
        }
        let reason = self.reason.filter(|reason| !reason.trim().is_empty());
        let reason = reason
            .map(|reason| one_line("reason", reason))
            .transpose()?;
        Ok(Hold {
            kind: HoldKind::Manual,
            reason: reason.unwrap_or_else(|| "paused by an operator".into()),
            until,
            by: by.to_owned(),
        })
    }
}

/// A text for people, fit for a log and a terminal.
fn one_line(name: &str, text: String) -> Result<String, Problem> {
    if text.chars().count() > LONGEST {
        let detail = format!("`{name}` is longer than {LONGEST} characters");
        return Err(Problem::bad_request(detail));
    }
    if text.chars().any(char::is_control) {
        let detail = format!("`{name}` has control characters; it must be one line of text");
        return Err(Problem::bad_request(detail));
    }
    Ok(text)
}

/// A body that says nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// What the run is given.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TriggerRequest {
    /// For people: why; stored with the run
    #[schema(max_length = 500)]
    note: Option<String>,
    /// Do everything but post
    #[serde(default)]
    dry_run: bool,
    /// What templates see as `content`: an object, or a text that becomes its `body`
    #[schema(value_type = Option<Value>)]
    content: Option<Value>,
}

impl TriggerRequest {
    /// What the run is given.
    pub(super) fn input(self) -> Result<Value, Problem> {
        let mut input = Map::new();
        if let Some(note) = self.note {
            input.insert("note".into(), one_line("note", note)?.into());
        }
        if self.dry_run {
            input.insert("dry_run".into(), true.into());
        }
        if self.content.as_ref().is_some_and(has_nul) {
            let detail = "`content` has a NUL character, which cannot be stored";
            return Err(Problem::bad_request(detail));
        }
        if self.content.as_ref().is_some_and(|it| depth(it) > DEEPEST) {
            let detail = format!("`content` is nested more than {DEEPEST} deep");
            return Err(Problem::bad_request(detail));
        }
        match self.content {
            None | Some(Value::Null) => {}
            Some(content @ Value::Object(_)) => {
                input.insert("content".into(), content);
            }
            Some(Value::String(body)) => {
                input.insert("content".into(), serde_json::json!({ "body": body }));
            }
            Some(_) => {
                return Err(Problem::bad_request(
                    "`content` must be an object or a text",
                ));
            }
        }
        Ok(input.into())
    }
}

/// The holds that an operator can end on all bots; `invalid` ends by itself.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum EndableHold {
    Manual,
    Failures,
    Refused,
    GivenUp,
}

impl EndableHold {
    const ALL: [Self; 4] = [Self::Manual, Self::Failures, Self::Refused, Self::GivenUp];

    const fn kind(self) -> HoldKind {
        match self {
            Self::Manual => HoldKind::Manual,
            Self::Failures => HoldKind::Failures,
            Self::Refused => HoldKind::Refused,
            Self::GivenUp => HoldKind::GivenUp,
        }
    }
}

/// Which holds.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Kinds {
    /// Only this kind; all of these without it
    #[param(inline)]
    kind: Option<EndableHold>,
}

impl Kinds {
    /// The kinds that are meant.
    pub(super) fn kinds(&self) -> Vec<HoldKind> {
        let named = self.kind.map(|kind| vec![kind]);
        let named = named.unwrap_or(EndableHold::ALL.to_vec());
        named.into_iter().map(EndableHold::kind).collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    fn noon() -> Instant {
        DateTime::from_timestamp(1_772_366_400, 0).unwrap()
    }

    fn hold(body: Value) -> Result<Hold, Problem> {
        let wish: PauseRequest = serde_json::from_value(body).unwrap();
        wish.hold("ann", noon())
    }

    fn input(body: Value) -> Result<Value, Problem> {
        let wish: TriggerRequest = serde_json::from_value(body).unwrap();
        wish.input()
    }

    #[test]
    fn a_pause_is_a_manual_hold_by_its_caller() {
        let body = json!({ "reason": "holiday", "until": "2026-03-01T13:00:00+00:30" });
        let found = hold(body).unwrap();
        assert_eq!(found.kind, HoldKind::Manual);
        assert_eq!(
            (found.reason.as_str(), found.by.as_str()),
            ("holiday", "ann")
        );
        assert_eq!(
            found.until.unwrap() - noon(),
            chrono::TimeDelta::minutes(30)
        );
        let bare = hold(json!({ "reason": " " })).unwrap();
        assert_eq!(
            (bare.reason.as_str(), bare.until),
            ("paused by an operator", None)
        );
    }

    #[test]
    fn a_pause_that_cannot_be_meant_is_refused() {
        for body in [
            json!({ "until": "2026-03-01T12:00:00Z" }),
            json!({ "until": "tomorrow" }),
            json!({ "reason": "x".repeat(501) }),
            json!({ "reason": "a\nb" }),
            json!({ "reason": "\u{1b}[31m" }),
        ] {
            assert_eq!(hold(body.clone()).unwrap_err().status, 400, "{body}");
        }
        assert!(serde_json::from_value::<PauseRequest>(json!({ "reasons": "x" })).is_err());
    }

    #[test]
    fn a_trigger_hands_on_what_was_given_and_nothing_else() {
        assert_eq!(input(json!({})).unwrap(), json!({}));
        assert_eq!(input(json!({ "content": null })).unwrap(), json!({}));
        let text = input(json!({ "note": "n", "dry_run": true, "content": "hi" })).unwrap();
        assert_eq!(
            text,
            json!({ "note": "n", "dry_run": true, "content": { "body": "hi" } })
        );
        let object = input(json!({ "content": { "body": "x", "n": [1] } })).unwrap();
        assert_eq!(object, json!({ "content": { "body": "x", "n": [1] } }));
        for body in [
            json!({ "content": 3 }),
            json!({ "content": { "a": "\0" } }),
            json!({ "note": "a\tb" }),
        ] {
            assert_eq!(input(body.clone()).unwrap_err().status, 400, "{body}");
        }
    }

    #[test]
    fn all_kinds_that_can_be_ended_are_meant_if_none_is_named() {
        let all = Kinds { kind: None }.kinds();
        assert_eq!(all.len(), 4);
        assert!(!all.contains(&HoldKind::Invalid));
        let kind = Some(EndableHold::Failures);
        assert_eq!(Kinds { kind }.kinds(), [HoldKind::Failures]);
    }
}
