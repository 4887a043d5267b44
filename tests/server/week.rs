//! A week of slots through all gates, with the clock of the server moved from slot to slot: its zone goes to summer time at
//! the end of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use actor_server::{
    domain::{content::ContentItem, run::ReplicaId},
    store::{self, Replica},
};
use chrono::{DateTime, Days, Timelike, Utc};
use chrono_tz::Europe::Berlin;

use crate::{
    bots::{Bot, config_with},
    clock::faketime,
    ledger::{Ledger, Post},
    server::Home,
};

const CURATOR: &str = r#"
[actor]
name = "Curator"
knowledge = ["ideas"]
skills = ["content_selection", "duplicate_check", "rate_limiting", "content_scheduling", "content_formatter", "content_posting"]
[actor.config]
max_posts_per_day = 3
min_interval_minutes = 180
timezone = "Europe/Berlin"
schedule_window_start = "07:00"
schedule_window_end = "21:00"
[skills.content_formatter]
template = "{{ content.title }}: {{ content.body }}"
"#;

/// So far apart are the slots.
const HOURS: usize = 2;

/// A clock for the server that a test can move: a file says how far it is off.
struct Moved(PathBuf);

impl Moved {
    fn set(&self, to: DateTime<Utc>) {
        let off = (to - Utc::now()).num_milliseconds();
        let whole = self.0.with_extension("new");
        let (seconds, ms) = (off.div_euclid(1000), off.rem_euclid(1000));
        // The library takes a sign and a fraction, but no negative fraction.
        let text = match seconds < 0 {
            true => format!("-{}.{:03}", off.abs() / 1000, off.abs() % 1000),
            false => format!("+{seconds}.{ms:03}"),
        };
        fs::write(&whole, text).unwrap();
        fs::rename(whole, &self.0).unwrap();
    }
}

/// Twice as many items as a week needs, of which every other one says what the one before it says.
async fn fill(database: &Path, at: DateTime<Utc>) {
    let texts = [
        "Walks in the old harbour",
        "Bread from yesterday, toasted",
        "How to fold a map",
        "Seven songs for rain",
        "The quietest bench in town",
        "A lamp that hums",
        "Learning to whistle",
        "Seeds that want frost",
        "Letters nobody sent",
        "Why bridges sing",
        "Soup without a recipe",
        "A clock for cats",
        "Counting the stairs",
        "What the ferryman reads",
        "Blue paint, green paint",
        "Twelve kinds of snow",
        "An orchard on a roof",
        "The museum of keys",
        "Trains that wait",
        "Salt, vinegar and time",
        "Dancing in the kitchen",
        "The last phone booth",
        "Moss gardens",
        "A map of echoes",
        "Buttons and their owners",
    ];
    let item = |body: String, n: usize| ContentItem {
        key: Some(format!("idea-{n}")),
        title: Some(format!("Number {n} of our ideas for this spring")),
        body,
        source: None,
        tags: Vec::new(),
        priority: 0.5,
        not_before: None,
        expires_at: None,
        media: Vec::new(),
        metadata: serde_json::json!({}),
    };
    let items: Vec<ContentItem> = (0..texts.len() * 2)
        .map(|n| {
            let text = texts[n / 2];
            let again = if n % 2 == 0 {
                text.to_owned()
            } else {
                text.to_uppercase()
            };
            item(again, n)
        })
        .collect();
    let me = Replica {
        id: ReplicaId::new("week"),
        address: String::new(),
        version: "0.1.0".into(),
        started_at: at,
    };
    let url = format!("sqlite://{}", database.display());
    let (_, store) = store::open(&url, &me).await.unwrap();
    store.add_content("ideas", &items, at).await.unwrap();
    store.close().await;
}

#[test]
fn a_week_of_slots_keeps_every_limit_and_says_why_for_each() {
    let monday: DateTime<Utc> = "2026-03-22T23:00:00Z".parse().unwrap();
    let sunday = monday.checked_add_days(Days::new(7)).unwrap() - chrono::TimeDelta::hours(1);
    let bot = Bot::new("curator", "type = \"Interval\"\nseconds = 7200").file("curator.toml");
    let home = Home::new(&config_with(
        "[server]\ncheck_interval_seconds = 1\n",
        &[bot],
    ));
    home.write("curator.toml", CURATOR);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(fill(
        &home.path("bots.db"),
        monday - chrono::TimeDelta::days(1),
    ));

    let clock = Moved(home.path("clock"));
    clock.set(monday);
    let server = home.start_with(&[
        ("LD_PRELOAD", faketime().to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", clock.0.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
        ("TZ", "UTC"),
    ]);
    // The grid begins with the first start.
    let first = server.wait_for("the first slot", |ledger| !done(ledger).is_empty());
    let anchor = done(&first)[0];
    let mut slots = vec![anchor];
    loop {
        let next = *slots.last().unwrap() + chrono::TimeDelta::hours(i64::try_from(HOURS).unwrap());
        if next >= sunday {
            break;
        }
        clock.set(next - chrono::TimeDelta::milliseconds(100));
        server.wait_for("a slot", |ledger| done(ledger).contains(&next));
        slots.push(next);
    }
    server.stop();
    check(&home.ledger(), &slots);
}

/// The slots that have run to their end.
fn done(ledger: &Ledger) -> Vec<DateTime<Utc>> {
    let rows = ledger.of("curator").into_iter();
    rows.filter(|row| row.success.is_some())
        .map(|row| row.slot())
        .collect()
}

fn check(ledger: &Ledger, slots: &[DateTime<Utc>]) {
    assert_eq!(done(ledger), slots, "{ledger}");
    let mut posted: Vec<DateTime<Utc>> = Vec::new();
    for row in ledger.of("curator") {
        let posts: Vec<&Post> = ledger
            .posts_of("curator")
            .into_iter()
            .filter(|post| post.execution_id == row.id)
            .collect();
        match (row.status.as_str(), row.reason.as_deref()) {
            ("succeeded", None) => {
                assert_eq!(posts.len(), 1, "{row:?}");
                posted.push(row.slot());
            }
            ("skipped", Some("rate_limiting" | "content_scheduling")) => {
                assert_eq!((posts.len(), row.success), (0, Some(true)), "{row:?}");
                assert!(row.started_at.is_some(), "{row:?}");
            }
            _ => panic!("{row:?}\n{ledger}"),
        }
    }
    for slot in &posted {
        let hour = slot.with_timezone(&Berlin).hour();
        assert!((7..21).contains(&hour), "{slot}");
    }
    for pair in posted.windows(2) {
        assert!((pair[1] - pair[0]).num_minutes() >= 180, "{pair:?}");
    }
    let mut days: Vec<(chrono::NaiveDate, usize)> = Vec::new();
    for slot in &posted {
        let date = slot.with_timezone(&Berlin).date_naive();
        match days.last_mut() {
            Some((last, count)) if *last == date => *count += 1,
            _ => days.push((date, 1)),
        }
    }
    assert_eq!(days.len(), 7, "{days:?}");
    assert!(days.iter().all(|(_, posts)| *posts == 3), "{days:?}");
    no_text_twice(ledger);
}

fn no_text_twice(ledger: &Ledger) {
    let posts = ledger.posts_of("curator");
    let mut texts: Vec<String> = posts
        .iter()
        .map(|post| post.body.split_once(": ").unwrap().1.to_lowercase())
        .collect();
    let all = texts.len();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), all, "something was posted twice");
    assert!(posts.iter().all(|post| post.status == "sent"));
}
