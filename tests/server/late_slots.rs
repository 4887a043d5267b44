//! What becomes of slots that fell due while no server ran.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::{
    bots::{Bot, config},
    ledger::{Ledger, stored, time},
    server::Home,
};

/// The bot has a slot every minute, and the newest is this old when the server comes back.
const NEWEST: i64 = 30;
/// An hour of minutes, both ends included.
const SLOTS: i64 = 61;

/// A bot with this policy whose server was away for an hour.
fn away_for_an_hour(policy: &str) -> Home {
    let home = Home::new(&config(&[Bot::every(60, "bot").with(policy)]));
    let server = home.start();
    server.wait_for("the first run", |ledger| {
        ledger.with("bot", "succeeded").len() == 1
    });
    server.stop();
    let first = stored(first_slot());
    home.sql(&format!(
        "DELETE FROM actor_server_executions; DELETE FROM actor_server_posts;
         UPDATE actor_server_state SET anchor = '{first}', next_run = '{first}'"
    ));
    home
}

fn first_slot() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0) - TimeDelta::seconds((SLOTS - 1) * 60 + NEWEST)
}

/// Starts the server, and stops it once every slot up to now is decided and nothing runs.
fn come_back(home: &Home) -> Ledger {
    let server = home.start();
    server.wait_for("all slots decided", |ledger| {
        let next = ledger.state("bot").next_run.as_deref().map(time);
        next > Some(Utc::now() - TimeDelta::seconds(1)) && ledger.with("bot", "running").is_empty()
    });
    server.stop();
    let ledger = home.ledger();
    ledger.assert_every_slot_is_accounted_for("bot", 60);
    ledger
}

#[test]
fn the_newest_late_slot_runs_and_the_older_ones_are_one_row() {
    let home = away_for_an_hour("misfire_threshold_seconds = 10");
    let ledger = come_back(&home);
    let rows = ledger.of("bot");
    assert_eq!(rows[0].reason.as_deref(), Some("late"), "{ledger}");
    assert_eq!(
        (rows[0].status.as_str(), rows[0].slots),
        ("missed", SLOTS - 1)
    );
    assert_eq!((rows[1].status.as_str(), rows[1].slots), ("succeeded", 1));
    assert_eq!(ledger.posts_of("bot").len(), 1);
}

#[test]
fn with_do_nothing_no_late_slot_runs() {
    let home = away_for_an_hour("misfire = \"do_nothing\"\nmisfire_threshold_seconds = 10");
    let ledger = come_back(&home);
    let rows = ledger.of("bot");
    assert_eq!(rows.len(), 1, "{ledger}");
    assert_eq!((rows[0].status.as_str(), rows[0].slots), ("missed", SLOTS));
    assert_eq!(ledger.posts_of("bot").len(), 0);
}

#[test]
fn with_do_nothing_a_slot_within_the_threshold_runs() {
    let home = away_for_an_hour("misfire = \"do_nothing\"");
    let ledger = come_back(&home);
    assert_eq!(ledger.with("bot", "succeeded").len(), 1, "{ledger}");
    assert_eq!(ledger.because("bot", "late")[0].slots, SLOTS - 1);
}

#[test]
fn with_fire_all_every_slot_inside_the_window_runs_oldest_first_and_one_after_another() {
    let home = away_for_an_hour("misfire = \"fire_all\"\ncatchup_window_seconds = 290");
    let ledger = come_back(&home);
    let window = ledger.because("bot", "window");
    assert_eq!((window.len(), window[0].slots), (1, SLOTS - 5), "{ledger}");
    let runs = ledger.with("bot", "succeeded");
    assert_eq!(runs.len(), 5);
    for pair in runs.windows(2) {
        let ended = time(pair[0].completed_at.as_deref().unwrap());
        assert!(
            time(pair[1].started_at.as_deref().unwrap()) >= ended,
            "{ledger}"
        );
    }
    let bodies: Vec<String> = ledger
        .posts_of("bot")
        .iter()
        .map(|post| post.body.clone())
        .collect();
    assert_eq!(
        home.posted("bot")[1..],
        bodies,
        "the first was printed before the hour"
    );
}

#[test]
fn slots_older_than_the_catch_up_window_are_missed_whatever_the_policy() {
    let home = away_for_an_hour("catchup_window_seconds = 10");
    let ledger = come_back(&home);
    let rows = ledger.of("bot");
    assert_eq!(rows.len(), 1, "{ledger}");
    assert_eq!(
        (rows[0].reason.as_deref(), rows[0].slots),
        (Some("window"), SLOTS)
    );
}

#[test]
fn ten_years_of_seconds_are_accounted_for_at_once() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    let server = home.start();
    server.wait_for("the first run", |ledger| {
        !ledger.with("bot", "succeeded").is_empty()
    });
    server.stop();
    let long_ago = stored(Utc::now().trunc_subsecs(0) - TimeDelta::days(3653));
    home.sql(&format!(
        "DELETE FROM actor_server_executions; DELETE FROM actor_server_posts;
         UPDATE actor_server_state SET anchor = '{long_ago}', next_run = '{long_ago}'"
    ));
    let server = home.start();
    server.wait_for("a run", |ledger| {
        !ledger.with("bot", "succeeded").is_empty()
    });
    server.stop();
    let ledger = home.ledger();
    ledger.assert_every_slot_is_accounted_for("bot", 1);
    let (window, day) = (ledger.because("bot", "window"), 86_400);
    assert_eq!(window.len(), 1, "{ledger}");
    assert!(window[0].slots > 3600 * day, "{ledger}");
    assert!(
        ledger.because("bot", "late")[0].slots > day - 120,
        "{ledger}"
    );
}

#[test]
fn seconds_of_downtime_are_neither_lost_nor_run_twice() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    for round in 1..=3 {
        let server = home.start();
        server.wait_for("more runs", |ledger| {
            ledger.with("bot", "succeeded").len() >= round * 2
        });
        server.stop();
        let ledger = home.ledger();
        ledger.assert_every_slot_is_accounted_for("bot", 1);
        ledger.assert_nothing_is_running();
    }
    let ledger = home.ledger();
    assert_eq!(
        home.posted("bot").len(),
        ledger.with("bot", "succeeded").len(),
        "{ledger}"
    );
}
