//! Chooses what the run is about from the bot's knowledge tables: the more important and the fresher item first.
//!
//! A choice uses nothing up: an item is used by being posted, in the same transaction as the post.

use async_trait::async_trait;
use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::{
    RunContext, SettingProblem, Skill, SkillError, Verdict,
    settings::{Reader, number, whole},
};
use crate::domain::{
    Instant,
    choice::Weights,
    content::{ItemUse, Selection, StoredItem},
};

/// `content_selection`.
///
/// | setting | default | |
/// |---|---|---|
/// | `max_candidates` | 10 | the chosen item and those that may take its place, 1 to 100 |
/// | `priority_weight` | 0.7 | of the item's priority, from 0 |
/// | `freshness_weight` | 0.3 | of its freshness, which halves every seven days, from 0 |
#[derive(Clone, Copy, Debug)]
pub struct ContentSelection;

impl ContentSelection {
    /// The name in bot files.
    pub const NAME: &str = "content_selection";
}

const KEYS: [&str; 3] = ["max_candidates", "priority_weight", "freshness_weight"];

/// So many items of a table are weighed for their priority, and so many for their age.
pub(super) const LOOKED_AT: u32 = 100;

const MAX_WEIGHT: f64 = 1_000_000.0;

struct Settings {
    candidates: u32,
    weights: Weights,
}

impl Settings {
    fn read(reader: &mut Reader<'_>) -> Self {
        let default = Weights::default();
        let mut weight = |key: &str, default: f64| {
            let read = |value| number(value, 0.0..=MAX_WEIGHT);
            reader.value(key, read).unwrap_or(default)
        };
        let weights = Weights {
            priority: weight("priority_weight", default.priority),
            freshness: weight("freshness_weight", default.freshness),
        };
        if weights.priority + weights.freshness <= 0.0 {
            reader.problem(
                "priority_weight",
                "must not be 0 when `freshness_weight` is 0: nothing would count",
            );
        }
        let candidates = reader.value("max_candidates", |value| whole(value, 1..=LOOKED_AT));
        Self {
            candidates: candidates.unwrap_or(10),
            weights,
        }
    }
}

#[async_trait]
impl Skill for ContentSelection {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn shared(&self) -> &[&str] {
        &KEYS
    }

    fn needs_knowledge(&self) -> bool {
        true
    }

    fn guards_posting(&self) -> bool {
        true
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<SettingProblem> {
        let mut reader = Reader::new(settings, "").only(&KEYS);
        Settings::read(&mut reader);
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
        if !run.content.is_null() {
            return Ok(Verdict::NothingToDo("the run was given its content".into()));
        }
        let mut reader = Reader::new(settings, "");
        let read = Settings::read(&mut reader);
        let read = reader.good(read)?;
        let ranked = find(run, read.weights, Vec::new()).await?;
        Ok(choose(run, &read, ranked))
    }
}

/// The best item becomes the content, and the next ones stay at hand.
fn choose(run: &mut RunContext<'_>, settings: &Settings, mut ranked: Vec<StoredItem>) -> Verdict {
    let (weighed, weights) = (ranked.len(), settings.weights);
    ranked.truncate(usize::try_from(settings.candidates).unwrap_or(usize::MAX));
    if ranked.is_empty() {
        let tables = run.knowledge.join(", ");
        let why = format!("no item of {tables} is left that this bot may post and has not posted");
        run.nothing_to_post = Some(why.clone());
        return Verdict::NothingToDo(why);
    }
    let best = ranked.remove(0);
    run.results.insert(
        ContentSelection::NAME.into(),
        json!({
            "weighed": weighed,
            "score": weights.score(&best, run.now),
            "priority_weight": weights.priority,
            "freshness_weight": weights.freshness,
        }),
    );
    take(run, &best);
    run.candidates = ranked;
    Verdict::Done
}

/// What the bot may choose from, without what has been looked at; the best first.
pub(super) async fn find(
    run: &RunContext<'_>,
    weights: Weights,
    looked_at: Vec<i64>,
) -> Result<Vec<StoredItem>, SkillError> {
    if run.knowledge.is_empty() {
        return Err(SkillError::unrecoverable(
            "the bot has no knowledge to choose from; name its tables in `actor.knowledge`",
        ));
    }
    let wish = Selection {
        bot: run.bot.clone(),
        execution: run.execution,
        tables: run.knowledge.to_vec(),
        now: run.now,
        limit: LOOKED_AT,
        skip: looked_at,
    };
    let found = run.shelf.candidates(wish).await?;
    Ok(weights.rank(found, run.now))
}

/// How the items of this run were weighed.
pub(super) fn weights_of(run: &RunContext<'_>) -> Weights {
    let default = Weights::default();
    let said = run.results.get(ContentSelection::NAME);
    let weight = |key: &str| said.and_then(|said| said.get(key)?.as_f64());
    Weights {
        priority: weight("priority_weight").unwrap_or(default.priority),
        freshness: weight("freshness_weight").unwrap_or(default.freshness),
    }
}

/// Makes the item what the run is about.
pub(super) fn take(run: &mut RunContext<'_>, stored: &StoredItem) {
    run.item = Some(ItemUse {
        id: stored.id,
        text: stored.item.body.clone(),
    });
    run.content = content(stored);
}

/// An item as templates see it.
fn content(stored: &StoredItem) -> Value {
    let item = &stored.item;
    json!({
        "id": stored.id,
        "table": stored.table,
        "key": item.key,
        "title": item.title,
        "body": item.body,
        "source": item.source,
        "tags": item.tags,
        "priority": item.priority,
        "media": item.media,
        "metadata": item.metadata,
        "created_at": written(stored.created_at),
        "not_before": item.not_before.map(written),
        "expires_at": item.expires_at.map(written),
    })
}

/// RFC 3339 with milliseconds and `Z`, as all times that templates see.
fn written(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
