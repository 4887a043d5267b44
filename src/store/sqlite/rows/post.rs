//! Rows of `actor_server_posts`.

use diesel::{prelude::*, sqlite::Sqlite};
use serde_json::Value;

use super::state::bot_name;
use crate::{
    domain::{
        post::{Message, Post, PostStatus},
        run::ExecutionId,
    },
    store::sqlite::{
        fault::{Fault, unknown},
        schema::posts,
        time::{Time, read},
    },
};

/// One post, as stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = posts, check_for_backend(Sqlite))]
pub(in crate::store::sqlite) struct PostRow {
    id: i64,
    execution_id: i64,
    task_id: String,
    position: i32,
    platform: String,
    destination: String,
    body: String,
    options: Value,
    nonce: String,
    status: String,
    attempts: i64,
    platform_message_id: Option<String>,
    error_message: Option<String>,
    created_at: Time,
    posted_at: Option<Time>,
    turn: Option<i64>,
}

impl TryFrom<PostRow> for Post {
    type Error = Fault;

    fn try_from(row: PostRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id,
            execution: ExecutionId(row.execution_id),
            bot: bot_name(&row.task_id)?,
            position: row.position,
            platform: row.platform,
            destination: row.destination,
            message: Message {
                body: row.body,
                options: row.options,
            },
            nonce: row.nonce,
            status: PostStatus::parse(&row.status).ok_or_else(|| unknown("status", &row.status))?,
            attempts: row.attempts.try_into().unwrap_or(u32::MAX),
            platform_message_id: row.platform_message_id,
            error: row.error_message,
            created_at: row.created_at.0,
            posted_at: read(row.posted_at),
            turn: row.turn.unwrap_or(row.id),
        })
    }
}
