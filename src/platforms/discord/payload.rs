//! The JSON of a new message, by serenity's builders, and the files that go with it.
//!
//! Nobody is mentioned unless the message's options say so, and the nonce is enforced always (webhooks know none). What
//! Discord would surely refuse is refused here, before a request is spent on it.

use std::num::NonZeroU64;

use serde_json::{Map, Value, json};
use serenity::all::{CreateAllowedMentions, CreateEmbed, CreateMessage, Embed, Nonce};

use super::embeds;
use crate::{
    domain::post::Post,
    outbound::Outbound,
    platforms::{
        PostFailure,
        attachments::{self, Attachment, File},
    },
};

/// Discord's limit of a message's content, in code points.
const MAX_CONTENT: usize = 2000;

/// Discord's limit of a nonce, in characters.
const MAX_NONCE: usize = 25;

/// Fields that options cannot set: they are the post's own.
const RESERVED: [&str; 4] = ["content", "nonce", "enforce_nonce", "payload_json"];

/// Options that are not handed on as they are.
const READ: [&str; 3] = ["allowed_mentions", "embeds", "attachments"];

/// Who sends the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Bot,
    Webhook,
}

/// A message, and what is still to be fetched for it.
pub(super) struct Payload {
    fields: Map<String, Value>,
    attachments: Vec<Attachment>,
}

impl Payload {
    /// Reads a post.
    ///
    /// # Errors
    /// Why Discord would not take it.
    pub(super) fn of(post: &Post, sender: Sender) -> Result<Self, String> {
        let none = Map::new();
        let options = post.message.options.as_object().unwrap_or(&none);
        check(post, options)?;
        let mut fields = built(post, options, sender)?;
        let further = options.iter();
        let further = further.filter(|(key, _)| !READ.contains(&key.as_str()));
        fields.extend(further.map(|(key, value)| (key.clone(), value.clone())));
        Ok(Self {
            fields,
            attachments: attachments::of(options)?,
        })
    }

    /// The request's body and its type, with the files that had to be fetched.
    ///
    /// # Errors
    /// A file cannot be had, now or ever.
    pub(super) async fn whole(
        mut self,
        outbound: &Outbound,
    ) -> Result<(String, Vec<u8>), PostFailure> {
        let files = attachments::fetch(outbound, &self.attachments).await?;
        if files.is_empty() {
            let bytes = Value::Object(self.fields).to_string().into_bytes();
            return Ok(("application/json".into(), bytes));
        }
        let described: Vec<Value> = files.iter().enumerate().map(described).collect();
        self.fields.insert("attachments".into(), described.into());
        Ok(attachments::form(&Value::Object(self.fields), &files))
    }
}

/// What the builders make of it.
fn built(
    post: &Post,
    options: &Map<String, Value>,
    sender: Sender,
) -> Result<Map<String, Value>, String> {
    let mut message = CreateMessage::new()
        .allowed_mentions(mentions(options.get("allowed_mentions"))?)
        .embeds(made(options.get("embeds"))?);
    if sender == Sender::Bot {
        let nonce = Nonce::String(post.nonce.clone());
        message = message.nonce(nonce).enforce_nonce(true);
    }
    if !post.message.body.is_empty() {
        message = message.content(&post.message.body);
    }
    let payload = serde_json::to_value(message).map_err(|error| error.to_string())?;
    let mut fields = payload.as_object().cloned().unwrap_or_default();
    if sender == Sender::Webhook {
        fields.remove("enforce_nonce");
    }
    Ok(fields)
}

fn described((n, file): (usize, &File)) -> Value {
    match &file.description {
        Some(text) => json!({ "id": n, "filename": file.name, "description": text }),
        None => json!({ "id": n, "filename": file.name }),
    }
}

fn check(post: &Post, options: &Map<String, Value>) -> Result<(), String> {
    let length = post.message.body.chars().count();
    if length > MAX_CONTENT {
        return Err(format!(
            "the text has {length} characters; Discord takes at most {MAX_CONTENT}"
        ));
    }
    if post.message.body.trim().is_empty() && options.keys().all(|key| key == "allowed_mentions") {
        return Err("the message is empty; Discord wants a text or an embed".into());
    }
    if post.nonce.is_empty() || post.nonce.len() > MAX_NONCE {
        return Err(format!(
            "the nonce `{}` has not 1 to {MAX_NONCE} characters",
            post.nonce.escape_debug()
        ));
    }
    match options.keys().find(|key| RESERVED.contains(&key.as_str())) {
        Some(key) => Err(format!("`{key}` cannot be set by a message's options")),
        None => Ok(()),
    }
}

fn made(option: Option<&Value>) -> Result<Vec<CreateEmbed>, String> {
    let Some(option) = option else {
        return Ok(Vec::new());
    };
    embeds::check(option)?;
    let embeds: Vec<Embed> = serde_json::from_value(option.clone())
        .map_err(|error| format!("the message's embeds are not Discord's: {error}"))?;
    Ok(embeds.into_iter().map(CreateEmbed::from).collect())
}

/// Discord's allowed-mentions object; without one, nobody.
fn mentions(option: Option<&Value>) -> Result<CreateAllowedMentions, String> {
    let mut allowed = CreateAllowedMentions::new();
    let Some(option) = option else {
        return Ok(allowed);
    };
    let fields = option
        .as_object()
        .ok_or("`allowed_mentions` must be a table")?;
    for (key, value) in fields {
        allowed = match key.as_str() {
            "parse" => parse(allowed, value)?,
            "users" => allowed.users(ids(key, value)?),
            "roles" => allowed.roles(ids(key, value)?),
            "replied_user" => allowed.replied_user(value == &Value::Bool(true)),
            _ => return Err(format!("`allowed_mentions.{key}` is unknown to Discord")),
        };
    }
    Ok(allowed)
}

fn parse(allowed: CreateAllowedMentions, words: &Value) -> Result<CreateAllowedMentions, String> {
    let words = words
        .as_array()
        .ok_or("`allowed_mentions.parse` must be a list")?;
    words
        .iter()
        .try_fold(allowed, |allowed, word| match word.as_str() {
            Some("users") => Ok(allowed.all_users(true)),
            Some("roles") => Ok(allowed.all_roles(true)),
            Some("everyone") => Ok(allowed.everyone(true)),
            _ => Err(format!(
                "`allowed_mentions.parse` takes users, roles and everyone, not {word}"
            )),
        })
}

fn ids(key: &str, value: &Value) -> Result<Vec<u64>, String> {
    let id = |value: &Value| match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64().and_then(NonZeroU64::new),
        _ => None,
    };
    let ids: Option<Vec<u64>> = value.as_array().and_then(|list| {
        list.iter()
            .map(|entry| id(entry).map(NonZeroU64::get))
            .collect()
    });
    ids.ok_or_else(|| format!("`allowed_mentions.{key}` must be a list of ids"))
}
