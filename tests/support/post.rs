//! Stored posts as the platforms are given them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test's tool: each test uses a part of it"
)]

use actor_server::domain::{
    bot::BotName,
    post::{Message, Post, PostStatus},
    run::ExecutionId,
};
use chrono::DateTime;
use serde_json::{Value, json};

/// A pending post with that text; its nonce follows from `n`.
pub fn post(n: i64, destination: &str, body: &str) -> Post {
    with_options(n, destination, body, json!({}))
}

/// A pending post with the platform's further fields.
pub fn with_options(n: i64, destination: &str, body: &str, options: Value) -> Post {
    Post {
        id: n,
        execution: ExecutionId(n),
        bot: BotName::parse("herald").unwrap(),
        position: 0,
        platform: "any".into(),
        destination: destination.into(),
        message: Message {
            body: body.into(),
            options,
        },
        nonce: format!("{n:024}"),
        status: PostStatus::Pending,
        attempts: 0,
        platform_message_id: None,
        error: None,
        created_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
        posted_at: None,
        turn: n,
    }
}
