//! Reading a channel back: has this post arrived, though nobody knows?
//!
//! A message that shows our nonce is ours, and one that shows another nonce is not. One that shows none is ours if the bot
//! wrote it, it says the same, and it belongs to no other post. Whoever may not read the history gets an empty list and no
//! error, so an empty list is believed only if the channel itself says that nothing newer is in it.

use std::{num::NonZeroU64, time::Duration};

use chrono::TimeDelta;
use serde_json::Value;
use tokio::time::sleep;

use super::{
    Discord,
    answer::{Answer, Asked},
    limits::{Major, Place, Route},
    wire::Question,
};
use crate::{
    domain::{Instant, post::Post},
    platforms::{Found, PostFailure, Receipt},
};

/// Discord's most messages in one answer.
const PAGE: usize = 100;

/// So many pages are read; behind them nobody can tell.
const MOST_PAGES: usize = 20;

/// How far Discord's clock and the database's may differ.
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// The beginning of Discord's time, in Unix milliseconds.
const EPOCH: i64 = 1_420_070_400_000;

/// Limits that last longer are left to the caller.
const PATIENCE: Duration = Duration::from_secs(20);

impl Discord {
    pub(super) async fn look_back(
        &self,
        channel: NonZeroU64,
        post: &Post,
        known: &[String],
    ) -> Result<Found, PostFailure> {
        let first = snowflake(post.created_at - SKEW);
        let (mut after, wanted) = (first, Wanted { post, known });
        for _ in 0..MOST_PAGES {
            let Some(page) = self.page(channel, after).await? else {
                return Ok(Found::CannotTell);
            };
            for message in &page {
                if self.is_it(message, &wanted).await? {
                    let message_id = Some(message.id.to_string());
                    return Ok(Found::Yes(Receipt { message_id }));
                }
            }
            match page.last() {
                None if after == first => return self.silence(channel, first).await,
                Some(last) if page.len() >= PAGE && last.id > after => after = last.id,
                _ => return Ok(Found::No),
            }
        }
        Ok(Found::CannotTell)
    }

    /// The oldest messages behind `after`, oldest first; `None` if they may not be read.
    async fn page(
        &self,
        channel: NonZeroU64,
        after: u64,
    ) -> Result<Option<Vec<Message>>, PostFailure> {
        let path = format!("/api/v10/channels/{channel}/messages");
        let query = vec![("limit", PAGE.to_string()), ("after", after.to_string())];
        let answer = self
            .patiently(Route::Read, Major::Channel(channel), &path, query)
            .await?;
        if answer.status().as_u16() == 403 {
            return Ok(None);
        }
        answer.success(Asked::Channel(channel))?;
        let list = answer.body().as_array();
        let list = list.and_then(|list| list.iter().map(Message::read).collect());
        let mut list: Vec<Message> = list.ok_or_else(|| strange("list of messages"))?;
        list.sort_by_key(|message| message.id);
        Ok(Some(list))
    }

    /// There is nothing to read: because there is nothing, or because the bot may not read it?
    async fn silence(&self, channel: NonZeroU64, after: u64) -> Result<Found, PostFailure> {
        let path = format!("/api/v10/channels/{channel}");
        let answer = self
            .patiently(Route::Channel, Major::Channel(channel), &path, Vec::new())
            .await?;
        match answer.status().as_u16() {
            // Servers that speak a part of the API only; Discord has just shown the channel's messages.
            404 | 405 | 501 => return Ok(Found::No),
            403 => return Ok(Found::CannotTell),
            _ => answer.success(Asked::Channel(channel))?,
        }
        let newest = answer.body().get("last_message_id").and_then(id);
        match newest {
            Some(newest) if newest > after => Ok(Found::CannotTell),
            _ => Ok(Found::No),
        }
    }

    async fn is_it(&self, message: &Message, wanted: &Wanted<'_>) -> Result<bool, PostFailure> {
        if let Some(nonce) = &message.nonce {
            return Ok(*nonce == wanted.post.nonce);
        }
        Ok(wanted.may_be(message) && message.author == self.me().await?)
    }

    /// The bot's own id; asked once.
    async fn me(&self) -> Result<&str, PostFailure> {
        let ask = || async {
            let answer = self
                .patiently(Route::Me, Major::None, "/api/v10/users/@me", Vec::new())
                .await?;
            let status = answer.status();
            if !status.is_success() {
                // Of 401 the caller learns with its next post.
                let text = format!("Discord answered {status} to who the bot is");
                return Err(PostFailure::Transient(text));
            }
            let id = answer.body().get("id").and_then(Value::as_str);
            id.map(str::to_owned)
                .ok_or_else(|| strange("description of the bot"))
        };
        self.me.get_or_try_init(ask).await.map(String::as_str)
    }

    /// Waits out short limits: a look back of many pages would never end if it began anew with each.
    async fn patiently(
        &self,
        route: Route,
        major: Major,
        path: &str,
        query: Vec<(&'static str, String)>,
    ) -> Result<Answer, PostFailure> {
        let place = Place { route, major };
        let mut left = PATIENCE;
        loop {
            let question = Question {
                place: place.clone(),
                path: path.to_owned(),
                query: query.clone(),
                body: None,
            };
            let wait = match self.wire.ask(question).await {
                Ok(answer) if answer.status().as_u16() == 429 => answer.asked_wait(),
                Err(PostFailure::RateLimited(wait)) => wait,
                end => return end,
            };
            if wait > left {
                return Err(PostFailure::RateLimited(wait));
            }
            left -= wait;
            sleep(wait).await;
        }
    }
}

/// What is looked for.
struct Wanted<'a> {
    post: &'a Post,
    known: &'a [String],
}

impl Wanted<'_> {
    /// Whether a message of the bot that says this is the post.
    fn may_be(&self, message: &Message) -> bool {
        let option = |key: &str| {
            let list = self.post.message.options.get(key).and_then(Value::as_array);
            list.map_or(0, Vec::len)
        };
        // Previews of links are embeds, too.
        normal(&message.content) == normal(&self.post.message.body)
            && message.embeds >= option("embeds")
            && message.attachments == option("attachments")
            && !self
                .known
                .iter()
                .any(|known| *known == message.id.to_string())
    }
}

/// Discord takes away what surrounds a text, and ends lines with `\n`.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

/// What matters of a message.
struct Message {
    id: u64,
    nonce: Option<String>,
    author: String,
    content: String,
    embeds: usize,
    attachments: usize,
}

impl Message {
    fn read(value: &Value) -> Option<Self> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let length = |key: &str| {
            let list = value.get(key).and_then(Value::as_array);
            list.map_or(0, Vec::len)
        };
        let nonce = match value.get("nonce") {
            Some(Value::Number(number)) => Some(number.to_string()),
            nonce => text(nonce),
        };
        Some(Self {
            id: value.get("id").and_then(id)?,
            nonce,
            author: text(value.pointer("/author/id")).unwrap_or_default(),
            content: text(value.get("content")).unwrap_or_default(),
            embeds: length("embeds"),
            attachments: length("attachments"),
        })
    }
}

fn id(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}

/// The lowest id of a message of this moment.
fn snowflake(at: Instant) -> u64 {
    let milliseconds = at.timestamp_millis().saturating_sub(EPOCH).max(0);
    u64::try_from(milliseconds).unwrap_or_default() << 22
}

fn strange(what: &str) -> PostFailure {
    PostFailure::Transient(format!("Discord's answer is no {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snowflake_begins_with_the_time_of_discord() {
        let at = chrono::DateTime::from_timestamp_millis(1_462_015_105_796).unwrap();
        assert_eq!(snowflake(at), 175_928_847_298_985_984);
        let before = chrono::DateTime::from_timestamp(0, 0).unwrap();
        assert_eq!(snowflake(before), 0);
    }
}
