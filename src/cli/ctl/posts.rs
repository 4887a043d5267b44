//! Posts, and to send one again.

use chrono::{DateTime, Utc};

use super::{
    Failure, Output,
    arguments::{Posts, word},
    table::{Look, Tone, Toned, plain, rows},
    times::relative_or_dash,
};
use crate::client::{Client, PostFilter, SentPost};

/// So much of a text is shown.
const BEGINNING: usize = 40;

pub(super) async fn posts(client: &Client, out: &Output, which: Posts) -> Result<(), Failure> {
    let filter = PostFilter {
        actor: which.bot,
        status: which.status.map(word),
        limit: Some(which.limit),
        ..Default::default()
    };
    let found = client.posts(&filter).await?;
    out.show(&found, |posts, look, now| table(posts, look, now))
}

pub(super) async fn resend(client: &Client, out: &Output, id: i64) -> Result<(), Failure> {
    let reply = client.resend(id).await?;
    out.show(&reply, |_, _, _| {
        format!("post {id} is pending again; `ctl posts` shows what becomes of it\n")
    })
}

/// The table of posts.
pub(super) fn table(posts: &[SentPost], look: Look, now: DateTime<Utc>) -> String {
    if posts.is_empty() {
        return "no posts\n".into();
    }
    let text = |text: &Option<String>| plain(text.clone().unwrap_or_default());
    let row = |post: &SentPost| {
        vec![
            plain(post.id.map(|id| id.to_string()).unwrap_or_default()),
            text(&post.task_id),
            status(post),
            plain(relative_or_dash(post.posted_at.or(post.created_at), now)),
            plain(place(post)),
            plain(post.attempts.map(|n| n.to_string()).unwrap_or_default()),
            plain(beginning(post.body.as_deref().unwrap_or_default())),
            text(&post.error_message),
        ]
    };
    let headings = [
        "ID", "BOT", "STATUS", "WHEN", "WHERE", "ATTEMPTS", "TEXT", "ERROR",
    ];
    rows(look, &headings, posts.iter().map(row).collect())
}

fn place(post: &SentPost) -> String {
    let parts = [post.platform.as_deref(), post.destination.as_deref()];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    parts.join(":")
}

/// One line, cut.
fn beginning(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(BEGINNING) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

fn status(post: &SentPost) -> Toned {
    let word = post.status.as_deref().unwrap_or_default();
    let tone = match word {
        "sent" => Tone::Good,
        "pending" => Tone::Notable,
        "failed" | "dead" => Tone::Bad,
        _ => Tone::Plain,
    };
    (word.to_owned(), tone)
}
