//! A slot falls due while a run of the same bot is on.

use chrono::TimeDelta;

use crate::{
    bots::{Bot, config, config_with},
    ledger::{Ledger, Row, time},
    server::Home,
};

/// A bot with a slot every second, whose first run takes some seconds.
fn first_run_takes_long(overlap: &str) -> (Home, Ledger) {
    let policy = format!("overlap = \"{overlap}\"");
    let home = Home::new(&config(&[Bot::every(1, "bot").with(&policy)]));
    let server = home.start_failing("post.stored=1*sleep(3500)");
    server.wait_for("runs after the long one", |ledger| {
        let ended = |row: &&Row| row.status != "running";
        let first = ledger.since_first_run("bot").first().copied().filter(ended);
        first.is_some_and(|first| {
            let end = time(
                first
                    .slot_last
                    .as_deref()
                    .or(first.completed_at.as_deref())
                    .unwrap(),
            );
            let later = |row: &&&Row| row.slot() > end + TimeDelta::seconds(3);
            ledger.with("bot", "succeeded").iter().filter(later).count() >= 2
        })
    });
    server.stop();
    let ledger = home.ledger();
    ledger.assert_every_slot_is_accounted_for("bot", 1);
    ledger.assert_nothing_is_running();
    (home, ledger)
}

fn slots(rows: &[&Row]) -> i64 {
    rows.iter().map(|row| row.slots).sum()
}

fn ended(row: &Row) -> chrono::DateTime<chrono::Utc> {
    time(row.completed_at.as_deref().unwrap())
}

fn started(row: &Row) -> chrono::DateTime<chrono::Utc> {
    time(row.started_at.as_deref().unwrap())
}

#[test]
fn with_skip_slots_during_a_run_are_recorded_and_not_run() {
    let (_home, ledger) = first_run_takes_long("skip");
    let rows = ledger.since_first_run("bot");
    assert_eq!(rows[0].status, "succeeded");
    assert_eq!(
        (rows[1].status.as_str(), rows[1].reason.as_deref()),
        ("skipped", Some("overlap"))
    );
    let skipped = slots(&ledger.because("bot", "overlap"));
    assert!((2..=5).contains(&skipped), "{ledger}");
    let runs = ledger.with("bot", "succeeded");
    assert!(
        runs.windows(2)
            .all(|pair| started(pair[1]) >= ended(pair[0])),
        "{ledger}"
    );
    assert_eq!(ledger.state("bot").consecutive_failures, 0);
}

#[test]
fn with_buffer_one_the_first_such_slot_runs_when_the_run_has_ended() {
    let (_home, ledger) = first_run_takes_long("buffer_one");
    let rows = ledger.since_first_run("bot");
    assert_eq!(
        (rows[0].status.as_str(), rows[1].status.as_str()),
        ("succeeded", "succeeded")
    );
    assert!(started(rows[1]) >= ended(rows[0]), "{ledger}");
    assert!(
        rows[1].lateness() > TimeDelta::seconds(1),
        "it waited: {ledger}"
    );
    assert_eq!(rows[2].reason.as_deref(), Some("overlap"), "{ledger}");
}

#[test]
fn with_cancel_other_the_run_is_cancelled_and_the_slot_runs() {
    let (_home, ledger) = first_run_takes_long("cancel_other");
    let rows = ledger.since_first_run("bot");
    assert_eq!(
        (rows[0].status.as_str(), rows[0].success),
        ("cancelled", Some(false)),
        "{ledger}"
    );
    assert_eq!(rows[1].status, "succeeded", "{ledger}");
    assert!(rows[1].lateness() < TimeDelta::seconds(3), "{ledger}");
    assert_eq!(ledger.state("bot").consecutive_failures, 0, "no failure");
}

#[test]
fn with_allow_all_runs_go_side_by_side() {
    let (_home, ledger) = first_run_takes_long("allow_all");
    let rows = ledger.since_first_run("bot");
    assert!(ledger.because("bot", "overlap").is_empty(), "{ledger}");
    assert_eq!(
        (rows[0].status.as_str(), rows[1].status.as_str()),
        ("succeeded", "succeeded")
    );
    assert!(started(rows[1]) < ended(rows[0]), "{ledger}");
}

#[test]
fn waiting_for_a_free_place_counts_as_being_late() {
    let head = "[server]\nmax_parallel_tasks = 1\n";
    let late = "misfire = \"do_nothing\"\nmisfire_threshold_seconds = 1";
    let waits = Bot::every(3, "waits").file("quiet.toml").with(late);
    let home = Home::new(&config_with(head, &[Bot::every(60, "hog"), waits]));
    let server = home.start_failing("post.stored=1*sleep(8000)");
    server.wait_for("a slot on time after the late ones", |ledger| {
        let hog = ledger
            .with("hog", "succeeded")
            .first()
            .map(|row| ended(row));
        let on_time = ledger.with("waits", "succeeded");
        hog.is_some_and(|end| on_time.iter().any(|row| row.slot() > end))
    });
    server.stop();
    let ledger = home.ledger();
    ledger.assert_every_slot_is_accounted_for("waits", 3);
    assert!(slots(&ledger.because("waits", "late")) >= 2, "{ledger}");
    for row in ledger.with("waits", "succeeded") {
        assert!(row.lateness() <= TimeDelta::milliseconds(1100), "{row:?}");
    }
}
