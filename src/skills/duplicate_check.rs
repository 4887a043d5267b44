//! A gate: nothing that the bot has posted lately is posted again, word for word or nearly.
//!
//! What counts is what the bot really posted, and the items that those posts were made of: a template that adds the date to
//! each post makes no text new. An item that says nothing new gives its place to the next best one.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    RunContext, SettingProblem, Skill, SkillError, Verdict, content_selection,
    settings::{Reader, number, wanted, whole},
};
use crate::domain::{
    content::StoredItem,
    likeness::{Earlier, Likeness},
};

/// `duplicate_check`.
///
/// | setting | default | |
/// |---|---|---|
/// | `lookback_days` | 30 | posts of so many days count, 1 to 3650 |
/// | `similarity_threshold` | 0.9 | from here on two texts are the same, above 0 to 1; 1: only equal ones are |
#[derive(Clone, Copy, Debug)]
pub struct DuplicateCheck;

impl DuplicateCheck {
    /// The name in bot files.
    pub const NAME: &str = "duplicate_check";
}

const KEYS: [&str; 2] = ["lookback_days", "similarity_threshold"];

/// So many of the newest posts are compared with.
const MAX_POSTS: u32 = 5000;
/// So many items are looked at in one run, before it gives up.
const MAX_ITEMS: usize = 1000;
/// So long a run looks for an item that is new.
const MAX_SEARCH: Duration = Duration::from_secs(2);

#[derive(Clone, Copy)]
struct Settings {
    lookback: TimeDelta,
    threshold: f64,
}

impl Settings {
    fn read(reader: &mut Reader<'_>) -> Self {
        let days = reader.value("lookback_days", |value| whole(value, 1..=3650));
        let threshold = reader.value("similarity_threshold", threshold);
        Self {
            lookback: TimeDelta::days(days.unwrap_or(30).into()),
            threshold: threshold.unwrap_or(0.9),
        }
    }
}

fn threshold(value: &Value) -> Result<f64, String> {
    let read = number(value, 0.0..=1.0).ok().filter(|read| *read > 0.0);
    read.ok_or_else(|| wanted("a number above 0, up to 1", value))
}

#[async_trait]
impl Skill for DuplicateCheck {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn shared(&self) -> &[&str] {
        &KEYS
    }

    fn guards_posting(&self) -> bool {
        true
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<SettingProblem> {
        let mut reader = Reader::new(settings, "").only(&KEYS);
        Settings::read(&mut reader);
        reader.problems()
    }

    fn looks_back(&self, settings: &Map<String, Value>) -> TimeDelta {
        Settings::read(&mut Reader::new(settings, "")).lookback
    }

    async fn run(
        &self,
        run: &mut RunContext<'_>,
        settings: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        if let Some(idle) = run.idle() {
            return Ok(idle);
        }
        let mut reader = Reader::new(settings, "");
        let read = Settings::read(&mut reader);
        let read = reader.good(read)?;
        if texts(run).is_empty() {
            return Ok(Verdict::NothingToDo("there is no text to compare".into()));
        }
        let earlier = posted(run, read.lookback).await?;
        let like = |text: &str| earlier.like(text, read.threshold);
        match texts(run).into_iter().find_map(like) {
            None => Ok(Verdict::Done),
            // A message is made already: another item would need another one.
            Some(found) if run.item.is_none() || run.message.is_some() => {
                Ok(Verdict::Stop(reason(&found)))
            }
            Some(found) => replace(run, &earlier, read.threshold, found).await,
        }
    }
}

/// What the run is about to say: its content, and its message if it has one.
fn texts<'r>(run: &'r RunContext<'_>) -> Vec<&'r str> {
    let content = match &run.content {
        Value::String(text) => Some(text.as_str()),
        other => other.get("body").and_then(Value::as_str),
    };
    let message = run.message.as_ref().map(|message| message.body.as_str());
    let said = |text: &&str| !text.trim().is_empty();
    content.into_iter().chain(message).filter(said).collect()
}

async fn posted(run: &RunContext<'_>, lookback: TimeDelta) -> Result<Earlier, SkillError> {
    let since = run.now.checked_sub_signed(lookback).unwrap_or(run.now);
    let posts = run.shelf.posted_texts(since, MAX_POSTS).await?;
    let mut earlier = Earlier::default();
    for post in &posts {
        earlier.add(&post.body);
        earlier.add(post.item.as_deref().unwrap_or_default());
    }
    Ok(earlier)
}

/// The best of the other items that says something new takes the place of the content.
async fn replace(
    run: &mut RunContext<'_>,
    earlier: &Earlier,
    threshold: f64,
    found: Likeness,
) -> Result<Verdict, SkillError> {
    let mut looked_at: Vec<i64> = run.item.iter().map(|item| item.id).collect();
    let end = Instant::now() + MAX_SEARCH;
    loop {
        let mut left = std::mem::take(&mut run.candidates).into_iter();
        while let Some(candidate) = left.next() {
            if earlier.like(&candidate.item.body, threshold).is_none() {
                take(run, &candidate, left.collect(), looked_at.len());
                return Ok(Verdict::Done);
            }
            looked_at.push(candidate.id);
            if looked_at.len() >= MAX_ITEMS || Instant::now() >= end {
                return Ok(none(&found, looked_at.len()));
            }
            // The run may be cancelled meanwhile.
            tokio::task::yield_now().await;
        }
        let weights = content_selection::weights_of(run);
        run.candidates = content_selection::find(run, weights, looked_at.clone()).await?;
        if run.candidates.is_empty() {
            return Ok(none(&found, looked_at.len()));
        }
    }
}

fn take(run: &mut RunContext<'_>, item: &StoredItem, left: Vec<StoredItem>, passed_over: usize) {
    content_selection::take(run, item);
    run.candidates = left;
    let said = json!({ "passed_over": passed_over });
    run.results.insert(DuplicateCheck::NAME.into(), said);
}

fn reason(found: &Likeness) -> String {
    let Likeness { text, score } = found;
    if *score >= 1.0 {
        return format!("this was posted before: `{text}`");
    }
    let percent = (score * 100.0).floor();
    format!("this is {percent} % like what was posted before: `{text}`")
}

fn none(found: &Likeness, looked_at: usize) -> Verdict {
    let reason = reason(found);
    Verdict::Stop(match looked_at {
        1 => format!("{reason}; there is no other item"),
        n => format!("{reason}; none of {n} items says anything new"),
    })
}
