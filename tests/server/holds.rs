//! Holds over the lives of the server: a pause with an end, and bots whose files are broken.

use chrono::TimeDelta;

use crate::{
    bots::{Bot, config, config_with},
    ledger::{Ledger, stored, time},
    server::Home,
};

fn runs(ledger: &Ledger, bot: &str) -> usize {
    ledger.with(bot, "succeeded").len()
}

/// A bot that an operator has paused, until so many seconds after its next slot.
fn paused(every: u32, seconds: i64, policy: &str) -> Home {
    let home = Home::new(&config(&[Bot::every(every, "bot").with(policy)]));
    let server = home.start();
    server.wait_for("a run", |ledger| runs(ledger, "bot") >= 1);
    server.stop();
    let next = home.ledger().state("bot").next_run.clone().unwrap();
    let until = stored(time(&next) + TimeDelta::seconds(seconds));
    home.sql(&format!(
        "UPDATE actor_server_state SET is_paused = TRUE, hold_kind = 'manual', hold_reason = 'holidays',
         hold_by = 'olga', hold_until = '{until}'"
    ));
    home
}

#[test]
fn a_pause_ends_by_itself_and_its_slots_are_recorded_as_paused() {
    let home = paused(1, 5, "");
    let before = runs(&home.ledger(), "bot");
    let server = home.start();
    server.wait_for("runs after the pause", |ledger| {
        runs(ledger, "bot") >= before + 2
    });
    server.stop();
    let ledger = home.ledger();
    assert!(!ledger.state("bot").is_paused, "{ledger}");
    let paused = ledger.because("bot", "paused");
    assert_eq!(paused.len(), 1, "one growing row: {ledger}");
    assert!((3..=7).contains(&paused[0].slots), "{ledger}");
    ledger.assert_every_slot_is_accounted_for("bot", 1);
}

#[test]
fn after_a_pause_the_newest_slot_may_run_late() {
    let policy =
        "on_resume = \"run_latest\"\nmisfire = \"do_nothing\"\nmisfire_threshold_seconds = 1";
    let home = paused(6, 3, policy);
    let slot = home.ledger().state("bot").next_run.clone();
    let server = home.start();
    server.wait_for("the run", |ledger| runs(ledger, "bot") >= 2);
    server.stop();
    let ledger = home.ledger();
    let run = ledger.with("bot", "succeeded")[1];
    assert_eq!(run.scheduled_for, slot, "{ledger}");
    assert!(run.lateness() >= TimeDelta::seconds(3), "{run:?}");
    ledger.assert_every_slot_is_accounted_for("bot", 6);
}

#[test]
fn a_pause_survives_a_restart() {
    let home = paused(1, 3600, "");
    let before = home.ledger();
    for slots in [2, 4] {
        let server = home.start();
        server.wait_for("slots under the pause", |ledger| {
            ledger
                .because("bot", "paused")
                .iter()
                .any(|row| row.slots >= slots)
        });
        server.stop();
    }
    let ledger = home.ledger();
    assert!(ledger.is_held("bot", "manual"));
    assert_eq!(ledger.state("bot").hold_reason.as_deref(), Some("holidays"));
    assert_eq!(runs(&ledger, "bot"), runs(&before, "bot"), "{ledger}");
    assert_eq!(ledger.because("bot", "paused").len(), 1, "{ledger}");
}

const QUARANTINE: &str = "
[server]
check_interval_seconds = 1
on_invalid_bot = \"quarantine\"
";

#[test]
fn a_broken_bot_is_held_while_the_others_run_and_is_free_when_it_is_mended() {
    let bots = [
        Bot::every(1, "bot").file("mine.toml"),
        Bot::every(1, "fine"),
    ];
    let home = Home::new(&config_with(QUARANTINE, &bots));
    home.write("mine.toml", "[actor]\nskills = [\"content_posing\"]\n");
    let server = home.start();
    server.wait_for("others at work", |ledger| {
        ledger.is_held("bot", "invalid") && runs(ledger, "fine") >= 3
    });
    server.stop();
    let ledger = home.ledger();
    assert_eq!(runs(&ledger, "bot"), 0, "{ledger}");
    assert!(
        ledger
            .state("bot")
            .hold_reason
            .as_deref()
            .unwrap()
            .contains("content_posting"),
        "{ledger}"
    );
    home.write(
        "mine.toml",
        "[actor]\nskills = [\"content_formatter\"]\n[skills.content_formatter]\ntemplate = \"x\"\n",
    );
    let server = home.start();
    let ledger = server.wait_for("runs", |ledger| runs(ledger, "bot") >= 2);
    assert!(ledger.state("bot").hold_kind.is_none(), "{ledger}");
    server.stop();
    let ledger = home.ledger();
    ledger.assert_every_slot_is_accounted_for("bot", 1);
    assert!(!ledger.because("bot", "invalid").is_empty(), "{ledger}");
}

#[test]
fn a_bot_that_breaks_later_keeps_its_ledger_whole() {
    let bots = [
        Bot::every(1, "bot").file("mine.toml"),
        Bot::every(1, "fine"),
    ];
    let home = Home::new(&config_with(QUARANTINE, &bots));
    let good =
        "[actor]\nskills = [\"content_formatter\"]\n[skills.content_formatter]\ntemplate = \"x\"\n";
    for (text, wanted) in [(good, None), ("[actor\n", Some("invalid")), (good, None)] {
        home.write("mine.toml", text);
        let before = home.ledger();
        let server = home.start();
        server.wait_for("more runs", |ledger| {
            let more = |bot: &str| runs(ledger, bot) >= runs(&before, bot) + 2;
            let kind = ledger.state("bot").hold_kind.as_deref();
            more("fine") && kind == wanted && (wanted.is_some() || more("bot"))
        });
        server.stop();
        home.ledger().assert_every_slot_is_accounted_for("bot", 1);
    }
}
