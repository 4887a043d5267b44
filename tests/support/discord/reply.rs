//! How the fake meets a request, and by which of Discord's rules it goes.

use std::time::Duration;

use serde_json::json;

/// How the fake meets one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Stores the message and answers with it. What an empty script does.
    Store,
    /// Stores the message; the answer carries these headers.
    StoreWith(Vec<(&'static str, String)>),
    /// Stores the message, but answers with this.
    StoreAndAnswer(u16, String),
    /// Stores nothing and answers with this status, these headers and this body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Stores nothing and never answers.
    Hang,
    /// Closes the connection before anything is stored.
    CutBefore,
    /// Stores the message, then closes the connection without an answer.
    CutAfter,
    /// Stores the message, sends half an answer, and no more.
    SlowBody,
    /// Stores the message and sends an answer that does not end.
    GiantBody,
    /// Does nothing for so long, and then this.
    After(Duration, Box<Reply>),
}

impl Reply {
    /// A 429 with Discord's headers and body.
    pub fn rate_limited(seconds: f64, global: bool) -> Self {
        let scope = if global { "global" } else { "user" };
        Self::limited(seconds, scope)
    }

    /// A 429 of this scope: `user`, `global` or `shared`.
    pub fn limited(seconds: f64, scope: &str) -> Self {
        let global = scope == "global";
        let mut headers = vec![
            ("Retry-After", seconds.to_string()),
            ("X-RateLimit-Scope", scope.to_owned()),
        ];
        if global {
            headers.push(("X-RateLimit-Global", "true".to_owned()));
        }
        let body = json!({ "message": "You are being rate limited.", "retry_after": seconds, "global": global });
        Self::Answer(429, headers, body.to_string())
    }

    /// An error with Discord's body.
    pub fn error(status: u16, code: u32, message: &str) -> Self {
        let body = json!({ "message": message, "code": code });
        Self::Answer(status, Vec::new(), body.to_string())
    }

    /// What a proxy in front of Discord says when Discord is away.
    pub fn bad_gateway() -> Self {
        let body = "<html><head><title>502 Bad Gateway</title></head></html>";
        let headers = vec![("Content-Type", "text/html".to_owned())];
        Self::Answer(502, headers, body.to_owned())
    }
}

/// Discord's rules, as far as a test wants them kept.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How long a nonce is enforced; `None` is for ever.
    pub nonce_window: Option<Duration>,
    /// Whether messages that are read back show their nonces.
    pub shows_nonces: bool,
    /// Requests of the bot API within any second; one more is a global 429.
    pub global_per_second: Option<usize>,
    /// Messages to one channel within so long; one more is a 429 of that bucket. Answers carry the bucket's headers.
    pub bucket: Option<(u32, Duration)>,
    /// Each request is answered so much later.
    pub latency: Duration,
    /// What reading a channel back brings.
    pub reading: Reading,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            nonce_window: None,
            shows_nonces: true,
            global_per_second: None,
            bucket: None,
            latency: Duration::ZERO,
            reading: Reading::Allowed,
        }
    }
}

/// What reading a channel back brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Its messages.
    Allowed,
    /// An empty list: the bot may not read the history.
    NoHistory,
    /// 403: the bot may not see the channel.
    Forbidden,
}
