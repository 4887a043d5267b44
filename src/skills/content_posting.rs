//! Hands the run's message to the platform; nobody is mentioned unless the bot file allows it.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::{
    RunContext, SettingProblem, Skill, SkillError, Verdict, attached,
    settings::{Reader, flag, texts, wanted},
};
use crate::domain::post::Message;

/// `content_posting`.
///
/// | setting | default | |
/// |---|---|---|
/// | `allowed_mentions` | nobody | a list of `users`, `roles`, `everyone`, or a table with `parse`, `users`, `roles` and `replied_user` as Discord's allowed-mentions object has them (ids as texts) |
/// | `attachments` | none | `"media"`: the files of the chosen item; or a list of templates of addresses, each alone or as `url` beside a `description` |
#[derive(Clone, Copy, Debug)]
pub struct ContentPosting;

impl ContentPosting {
    /// The name in bot files. A failed post is tried again by the outlet, never by the pipeline.
    pub const NAME: &str = "content_posting";
}

const KINDS: [&str; 3] = ["users", "roles", "everyone"];

#[async_trait]
impl Skill for ContentPosting {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<SettingProblem> {
        let mut reader = Reader::new(settings, "").only(&["allowed_mentions", "attachments"]);
        if let Some(attachments) = settings.get("attachments") {
            reader.add(attached::problems(attachments));
        }
        if let Some(Value::Object(fields)) = settings.get("allowed_mentions") {
            reader.add(check_mentions(fields));
        } else {
            reader.value("allowed_mentions", kinds);
        }
        reader.problems()
    }

    async fn run(
        &self,
        run: &mut RunContext<'_>,
        settings: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        if let Some(idle) = run.idle() {
            return Ok(idle);
        }
        let Some(message) = &run.message else {
            return Ok(Verdict::NothingToDo("there is no text to post".into()));
        };
        let attachments = settings.get("attachments");
        let attachments = attachments.map(|setting| attached::references(setting, run));
        let attachments = attachments
            .transpose()
            .map_err(|error| SkillError::unrecoverable(format!("attachments: {error}")))?;
        let message = Message {
            body: message.body.clone(),
            options: options(&message.options, settings, attachments.unwrap_or_default()),
        };
        run.outlet
            .post(run.posted, message, run.item.as_ref())
            .await?;
        run.posted += 1;
        Ok(Verdict::Done)
    }
}

/// The message's options with the mentions that the bot file allows, whatever a formatter said, and with files.
fn options(made: &Value, settings: &Map<String, Value>, attachments: Vec<Value>) -> Value {
    let mut options = made.as_object().cloned().unwrap_or_default();
    let allowed = match settings.get("allowed_mentions") {
        Some(Value::Object(fields)) => Value::Object(fields.clone()),
        Some(kinds @ Value::Array(_)) => json!({ "parse": kinds }),
        _ => json!({ "parse": [] }),
    };
    options.insert("allowed_mentions".into(), allowed);
    if !attachments.is_empty() {
        options.insert("attachments".into(), attachments.into());
    }
    Value::Object(options)
}

fn check_mentions(fields: &Map<String, Value>) -> Vec<SettingProblem> {
    let mut reader =
        Reader::new(fields, "allowed_mentions.").only(&["parse", "users", "roles", "replied_user"]);
    let parsed = reader.value("parse", kinds).unwrap_or_default();
    for key in ["users", "roles"] {
        reader.value(key, |value| ids(value, parsed.contains(&key)));
    }
    reader.value("replied_user", flag);
    reader.problems()
}

fn kinds(value: &Value) -> Result<Vec<&str>, String> {
    let kinds = texts(value).map_err(|_| wanted("a list of users, roles, everyone", value))?;
    match kinds.iter().find(|kind| !KINDS.contains(kind)) {
        Some(other) => Err(format!(
            "`{}` cannot be mentioned; use users, roles, everyone",
            other.escape_debug()
        )),
        None => Ok(kinds),
    }
}

/// Discord refuses ids beside the same word in `parse`, and more than 100 of them.
fn ids(value: &Value, parsed: bool) -> Result<(), String> {
    let ids = texts(value).map_err(|_| wanted("a list of ids as texts", value))?;
    if parsed && !ids.is_empty() {
        return Err("cannot be listed while `parse` allows all of them".into());
    }
    if ids.len() > 100 {
        return Err(format!(
            "lists {} ids; Discord takes at most 100",
            ids.len()
        ));
    }
    let is_id = |text: &str| text.parse::<std::num::NonZeroU64>().is_ok();
    match ids.iter().find(|text| !is_id(text)) {
        Some(other) => Err(format!(
            "`{}` is no id; ids are decimal",
            other.escape_debug()
        )),
        None => Ok(()),
    }
}
