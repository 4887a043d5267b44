//! From an answer to what the skills behind may use of it.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value, json};

use super::HttpRequest;
use crate::{
    domain::{json::depth, text::has_nul},
    outbound::Incoming,
    skills::{RunContext, SkillError, Verdict},
};

/// How deep JSON may be nested.
const DEEPEST: usize = 64;

/// An answer, read.
pub(super) struct Answer {
    status: u16,
    headers: Value,
    text: String,
    json: Value,
}

impl Answer {
    /// Reads it.
    pub(super) fn read(answer: Incoming) -> Result<Self, String> {
        let text = String::from_utf8_lossy(&answer.body).replace('\0', "\u{fffd}");
        let parsed = parse(&answer.body);
        let json = match parsed {
            Err(error) if says_json(&answer.headers) && !answer.body.is_empty() => {
                return Err(format!(
                    "the answer says that it is JSON, and is not: {error}"
                ));
            }
            parsed => parsed.unwrap_or_default(),
        };
        if depth(&json) > DEEPEST || has_nul(&json) {
            return Err(format!(
                "the answer's JSON is nested deeper than {DEEPEST}, or has a NUL in it"
            ));
        }
        Ok(Self {
            status: answer.status.as_u16(),
            headers: headers(&answer.headers),
            text,
            json,
        })
    }

    /// Puts it into the run's context.
    pub(super) fn hand_over(
        self,
        run: &mut RunContext<'_>,
        into_content: bool,
    ) -> Result<Verdict, SkillError> {
        if into_content {
            run.content = self.content().map_err(SkillError::unrecoverable)?;
            run.item = None;
        }
        let result = json!({
            "status": self.status, "headers": self.headers, "text": self.text, "json": self.json,
        });
        run.results.insert(HttpRequest::NAME.into(), result);
        Ok(Verdict::Done)
    }

    /// A JSON object with a `body` is the content itself; a text is its body.
    fn content(&self) -> Result<Value, String> {
        match &self.json {
            Value::Object(fields) if fields.get("body").is_some_and(Value::is_string) => {
                Ok(self.json.clone())
            }
            Value::Object(_) | Value::Array(_) => {
                Err("the answer has no text `body`, which content needs".into())
            }
            Value::String(body) => Ok(json!({ "body": body })),
            _ if self.text.trim().is_empty() => {
                Err("the answer is empty; content needs a text".into())
            }
            _ => Ok(json!({ "body": self.text.trim() })),
        }
    }
}

fn parse(body: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(body)
}

fn says_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind
        .and_then(|kind| kind.split(';').next())
        .unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

/// By lower-case name; several of one name are joined by commas.
fn headers(headers: &HeaderMap) -> Value {
    let mut shown = Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        shown.insert(name.as_str().to_owned(), values.join(", ").into());
    }
    Value::Object(shown)
}
