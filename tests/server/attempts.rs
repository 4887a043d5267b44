//! Timeouts, retries, and the hold after too many failures.

use serde_json::Value;

use crate::{
    bots::{Bot, SERVER, config, config_with},
    ledger::Ledger,
    server::Home,
};

#[test]
fn a_skill_that_blocks_its_thread_for_ever_times_out_and_holds_up_nobody() {
    let home = Home::new(&config(&[
        Bot::every(2, "stuck").with("timeout_seconds = 1"),
        Bot::every(1, "fine").file("quiet.toml"),
    ]));
    let server = home.start_failing("post.stored=sleep(600000)");
    server.wait_for("timeouts", |ledger| {
        ledger.with("stuck", "timed_out").len() >= 2
    });
    server.stop();
    let ledger = home.ledger();
    let stuck = ledger.with("stuck", "timed_out");
    assert_eq!(stuck[0].success, Some(false));
    assert!(
        stuck[0]
            .error_message
            .as_deref()
            .unwrap()
            .contains("longer than 1 s"),
        "{ledger}"
    );
    ledger.assert_every_slot_is_accounted_for("fine", 1);
    ledger.assert_every_slot_ran("fine");
    assert!(ledger.with("fine", "succeeded").len() >= 3);
}

#[test]
fn an_attempt_that_timed_out_is_tried_again_and_stays_in_the_record() {
    let home = Home::new(&config(&[Bot::new("bot", "type = \"Immediate\"")
        .with("timeout_seconds = 1")
        .retry("max_attempts = 3\ninitial_backoff_seconds = 0.1")]));
    let server = home.start_failing("run.started=1*sleep(10);post.stored=2*sleep(2500)");
    let ledger = server.wait_for("the third attempt", |ledger| {
        !ledger.with("bot", "succeeded").is_empty()
    });
    let run = ledger.of("bot")[0];
    assert_eq!(run.attempt, 3, "{ledger}");
    let metadata: Value = serde_json::from_str(&run.metadata).unwrap();
    let earlier = metadata["attempts"].as_array().unwrap();
    let statuses: Vec<&str> = earlier
        .iter()
        .filter_map(|one| one["status"].as_str())
        .collect();
    assert_eq!(statuses, ["timed_out", "timed_out"], "{metadata}");
    assert_eq!(ledger.posts.len(), 1, "attempts share one post: {ledger}");
    assert_eq!(ledger.state("bot").consecutive_failures, 0);
    server.stop();
}

#[test]
fn a_run_whose_attempts_are_spent_has_failed() {
    let home = Home::new(&config(&[Bot::new("bot", "type = \"Immediate\"")
        .with("timeout_seconds = 1")
        .retry("max_attempts = 2\ninitial_backoff_seconds = 0.1")]));
    let server = home.start_failing("post.stored=sleep(600000)");
    let ledger = server.wait_for("the end", |ledger| {
        !ledger.with("bot", "timed_out").is_empty()
    });
    assert_eq!(ledger.of("bot")[0].attempt, 2);
    assert_eq!(ledger.state("bot").consecutive_failures, 1);
}

const THREE_FAILURES: &str = "
[server]
check_interval_seconds = 1
max_consecutive_failures = 3
";

fn held_after_three_failures() -> (Home, Ledger) {
    let bots = [
        Bot::every(1, "bot").file("broken.toml"),
        Bot::every(1, "fine"),
    ];
    let home = Home::new(&config_with(THREE_FAILURES, &bots));
    let server = home.start();
    let ledger = server.wait_for("slots under the hold", |ledger| {
        ledger.is_held("bot", "failures")
            && ledger
                .because("bot", "failures")
                .iter()
                .any(|row| row.slots >= 3)
    });
    server.stop();
    (home, ledger)
}

#[test]
fn too_many_failures_in_a_row_hold_the_bot_and_its_slots_grow_as_one_row() {
    let (_home, ledger) = held_after_three_failures();
    let failed = ledger.with("bot", "failed");
    assert_eq!(failed.len(), 3, "{ledger}");
    assert!(
        failed
            .iter()
            .all(|row| row.error_message.is_some() && row.success == Some(false))
    );
    assert_eq!(ledger.state("bot").consecutive_failures, 3);
    assert!(ledger.state("bot").is_paused && ledger.state("bot").hold_reason.is_some());
    assert_eq!(ledger.because("bot", "failures").len(), 1, "{ledger}");
    ledger.assert_every_slot_is_accounted_for("bot", 1);
    assert!(ledger.state("fine").hold_kind.is_none());
}

#[test]
fn a_restart_and_a_mended_file_do_not_end_the_hold() {
    let (home, before) = held_after_three_failures();
    let grown = before.because("bot", "failures")[0].slots + 3;
    home.configure(&config_with(
        SERVER,
        &[
            Bot::every(1, "bot").with("timeout_seconds = 9"),
            Bot::every(1, "fine"),
        ],
    ));
    let server = home.start();
    let more = |ledger: &Ledger| {
        ledger
            .because("bot", "failures")
            .iter()
            .any(|row| row.slots >= grown)
    };
    server.wait_for("more slots under the hold", more);
    server.stop();
    let ledger = home.ledger();
    assert!(ledger.is_held("bot", "failures"));
    assert_eq!(ledger.because("bot", "failures").len(), 1, "{ledger}");
    assert_eq!(
        ledger.with("bot", "failed").len(),
        3,
        "nothing ran: {ledger}"
    );
    ledger.assert_every_slot_is_accounted_for("bot", 1);
}

#[test]
fn a_success_in_between_starts_the_count_anew() {
    let bots = [Bot::every(1, "bot").with("timeout_seconds = 1\noverlap = \"buffer_one\"")];
    let home = Home::new(&config_with(THREE_FAILURES, &bots));
    let two_then_one = "post.stored=2*sleep(1500)->1*off->2*sleep(1500)->off";
    let server = home.start_failing(two_then_one);
    server.wait_for("four failures and a success", |ledger| {
        ledger.with("bot", "timed_out").len() == 4 && ledger.with("bot", "succeeded").len() >= 2
    });
    server.stop();
    let ledger = home.ledger();
    assert!(!ledger.state("bot").is_paused, "{ledger}");
    assert_eq!(ledger.state("bot").consecutive_failures, 0, "{ledger}");
}
