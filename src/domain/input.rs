//! What a run by hand or for an event is started with, as it is kept in `metadata.input`:
//! `{note, dry_run, content}` by hand, `{event: {type, source, payload}}` for an event. Whoever traces its requests finds
//! the run in its own trace: where that comes from is kept beside it, as `trace`, and is nobody else's business.

use serde_json::{Value, json};

/// The key of what is not for the run.
const TRACE: &str = "trace";

/// The input of a run; null for a slot's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunInput(Value);

impl RunInput {
    /// Wraps what was stored.
    #[must_use]
    pub const fn new(stored: Value) -> Self {
        Self(stored)
    }

    /// The input of a run for an event.
    #[must_use]
    pub fn of_event(event_type: &str, source: &str, payload: &Value) -> Value {
        json!({ "event": { "type": event_type, "source": source, "payload": payload } })
    }

    /// With where the trace of the request comes from; null for none.
    #[must_use]
    pub fn traced(mut input: Value, trace: Value) -> Value {
        if !trace.is_null()
            && let Value::Object(fields) = &mut input
        {
            fields.insert(TRACE.into(), trace);
        }
        input
    }

    /// Where the trace of the request comes from.
    #[must_use]
    pub fn trace(&self) -> Option<&Value> {
        self.0.get(TRACE)
    }

    /// What a trigger or event came with.
    #[must_use]
    pub fn given(&self) -> Value {
        let mut given = self.0.clone();
        if let Value::Object(fields) = &mut given {
            fields.remove(TRACE);
        }
        given
    }

    /// As it is stored.
    #[must_use]
    pub const fn as_value(&self) -> &Value {
        &self.0
    }

    /// What templates read as `event`: the event, or all of what a run by hand was given.
    #[must_use]
    pub fn event(&self) -> Value {
        let event = self.0.get("event").cloned();
        event.unwrap_or_else(|| self.given())
    }

    /// The content that the run is to use instead of choosing some: a text becomes its `body`.
    #[must_use]
    pub fn content(&self) -> Value {
        match self.0.get("content") {
            Some(Value::String(body)) => json!({ "body": body }),
            Some(content) => content.clone(),
            None => Value::Null,
        }
    }

    /// Whether the run does everything but post. Its end says nothing about the bot: a failure is not counted, and a
    /// success forgives none.
    #[must_use]
    pub fn is_dry(&self) -> bool {
        self.0.get("dry_run") == Some(&Value::Bool(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_body_of_the_content_and_an_object_is_the_content() {
        let content = |content: Value| RunInput::new(json!({ "content": content })).content();
        assert_eq!(content(json!("hi")), json!({ "body": "hi" }));
        let whole = json!({ "body": "hi", "tags": ["a"] });
        assert_eq!(content(whole.clone()), whole);
        assert_eq!(RunInput::default().content(), Value::Null);
    }

    #[test]
    fn an_events_run_sees_the_event_and_a_run_by_hand_what_it_was_given() {
        let event = RunInput::of_event("deploy", "ci", &json!({ "ok": true }));
        let seen = RunInput::new(event).event();
        assert_eq!(
            seen,
            json!({ "type": "deploy", "source": "ci", "payload": { "ok": true } })
        );
        let by_hand = json!({ "note": "by hand" });
        assert_eq!(RunInput::new(by_hand.clone()).event(), by_hand);
    }

    #[test]
    fn where_a_trace_comes_from_is_kept_and_not_shown_to_the_run() {
        let trace = json!({ "parent": "p" });
        let input = RunInput::new(RunInput::traced(json!({ "note": "n" }), trace.clone()));
        assert_eq!(input.trace(), Some(&trace));
        assert_eq!(input.event(), json!({ "note": "n" }));
        assert_eq!(input.given(), json!({ "note": "n" }));
        assert_eq!(RunInput::traced(json!({}), Value::Null), json!({}));
        assert_eq!(RunInput::default().trace(), None);
    }

    #[test]
    fn only_true_makes_a_run_dry() {
        let dry = |value: Value| RunInput::new(json!({ "dry_run": value })).is_dry();
        assert!(dry(json!(true)) && !dry(json!(false)) && !dry(json!("true")));
    }
}
