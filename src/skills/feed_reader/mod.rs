//! Fills a knowledge table with what feeds bring. Whether an entry is new is the store's to say.
//!
//! Feeds are strangers' texts: they are counted before they are parsed, their HTML becomes plain text, and of their URLs
//! only those for the web are kept.

mod entry;
mod guard;
mod guard_json;
mod look;

use async_trait::async_trait;
use reqwest::Url;
use serde_json::{Map, Value, json};

use self::look::{Eye, Looked};
use super::{
    RunContext, SettingProblem, Skill, SkillError, Verdict,
    outside::{self, whole},
    patience::Patience,
    settings::{Reader, texts, wanted},
};
use crate::{
    domain::need::Need,
    outbound::{Bounds, Outbound},
};

/// `feed_reader`.
///
/// | setting | default | |
/// |---|---|---|
/// | `url`, or `urls` | – | an RSS, Atom or JSON feed, or a list of up to 20 |
/// | `table` | the bot's first knowledge table | where entries go |
/// | `max_items` | 50 | of each look at a feed, the newest; 1 to 500 |
/// | `priority` | 0.5 | of each item, 0 to 1 |
/// | `tags` | `[]` | of each item |
/// | `timeout_seconds`, `max_bytes`, `max_redirects` | 30, 5 MiB, 5 | of one look |
///
/// The result is `{ "entries", "new" }`, over all feeds that have changed.
#[derive(Debug, Default)]
pub struct FeedReader {
    outbound: Outbound,
    patience: Patience,
}

const KEYS: [&str; 6] = ["url", "urls", "table", "max_items", "priority", "tags"];

/// The largest feed that may be allowed, in bytes.
const LARGEST: u64 = 32 << 20;

/// Feeds of one skill.
const MOST_FEEDS: usize = 20;

struct Settings<'a> {
    urls: Vec<Url>,
    table: Option<&'a str>,
    max_items: usize,
    priority: f64,
    tags: Vec<&'a str>,
    bounds: Bounds,
}

impl<'a> Settings<'a> {
    fn read(reader: &mut Reader<'a>) -> Self {
        let usual = Bounds {
            bytes: 5 << 20,
            ..Bounds::default()
        };
        let one = reader.value("url", outside::url);
        let more = reader.value("urls", urls).unwrap_or_default();
        let items = reader.value("max_items", |value| whole(value, 1..=500));
        Self {
            urls: one.into_iter().chain(more).collect(),
            table: reader.value("table", table),
            max_items: items.and_then(|items| items.try_into().ok()).unwrap_or(50),
            priority: reader.value("priority", priority).unwrap_or(0.5),
            tags: reader.value("tags", texts).unwrap_or_default(),
            bounds: outside::bounds(reader, usual, LARGEST),
        }
    }
}

impl FeedReader {
    /// The name in bot files.
    pub const NAME: &str = "feed_reader";

    /// One that goes out by this way.
    #[must_use]
    pub fn new(outbound: Outbound) -> Self {
        let patience = Patience::default();
        Self { outbound, patience }
    }
}

#[async_trait]
impl Skill for FeedReader {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<SettingProblem> {
        let known = [&KEYS[..], &outside::BOUND_KEYS[..]].concat();
        let mut reader = Reader::new(settings, "").only(&known);
        Settings::read(&mut reader);
        if settings.get("url").or(settings.get("urls")).is_none() {
            reader.add(vec![SettingProblem {
                key: "url".into(),
                message: "is missing; give the address of a feed".into(),
            }]);
        }
        reader.problems()
    }

    fn needs(&self, settings: &Map<String, Value>) -> Vec<(String, Need)> {
        let read = Settings::read(&mut Reader::new(settings, ""));
        let key = if settings.contains_key("url") {
            "url"
        } else {
            "urls"
        };
        let hosts = read.urls.into_iter();
        hosts.map(|url| (key.to_owned(), Need::Host(url))).collect()
    }

    async fn run(
        &self,
        run: &mut RunContext<'_>,
        settings: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        let read = Settings::read(&mut Reader::new(settings, ""));
        let table = read
            .table
            .or_else(|| run.knowledge.first().map(String::as_str));
        let Some(table) = table else {
            let why = "no table is named; set `table`, or `knowledge` in `[actor]`";
            return Err(SkillError::unrecoverable(why));
        };
        let eye = Eye {
            outbound: &self.outbound,
            patience: &self.patience,
            settings: &read,
            table,
        };
        let mut sum = Sum::default();
        for url in &read.urls {
            sum.add(eye.look(run, url).await);
        }
        sum.verdict(run)
    }
}

/// What came of all feeds.
#[derive(Default)]
struct Sum {
    changed: usize,
    entries: usize,
    new: u64,
    failures: Vec<SkillError>,
}

impl Sum {
    fn add(&mut self, looked: Result<Option<Looked>, SkillError>) {
        match looked {
            Ok(Some(looked)) => {
                self.changed += 1;
                self.entries += looked.entries;
                self.new += looked.new;
            }
            Ok(None) => {}
            Err(error) => self.failures.push(error),
        }
    }

    /// A feed that fails does not keep the others from being read.
    fn verdict(self, run: &mut RunContext<'_>) -> Result<Verdict, SkillError> {
        let result = json!({ "entries": self.entries, "new": self.new });
        run.results.insert(FeedReader::NAME.into(), result);
        if !self.failures.is_empty() {
            let texts: Vec<&str> = self
                .failures
                .iter()
                .map(|error| error.message.as_str())
                .collect();
            let recoverable = self.failures.iter().any(|error| error.recoverable);
            let error = SkillError::unrecoverable(texts.join("; "));
            return Err(SkillError {
                recoverable,
                ..error
            });
        }
        Ok(match self.changed {
            0 => Verdict::NothingToDo("not modified".into()),
            _ => Verdict::Done,
        })
    }
}

fn urls(value: &Value) -> Result<Vec<Url>, String> {
    let list = value
        .as_array()
        .filter(|list| (1..=MOST_FEEDS).contains(&list.len()));
    let list = list.ok_or("must be a list of 1 to 20 URLs")?;
    list.iter().map(outside::url).collect()
}

fn table(value: &Value) -> Result<&str, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name = value.as_str();
    let name = name.filter(|name| (1..=64).contains(&name.len()) && name.chars().all(allowed));
    name.ok_or_else(|| {
        wanted(
            "the name of a knowledge table, 1 to 64 of A-Z a-z 0-9 _ -",
            value,
        )
    })
}

fn priority(value: &Value) -> Result<f64, String> {
    let number = value.as_f64().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| wanted("a number from 0 to 1", value))
}
