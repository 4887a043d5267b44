//! Bots that are switched off, limited, edited, removed and brought back between two lives of the server.

use chrono::{SubsecRound, TimeDelta, Utc};

use crate::{
    bots::{Bot, config},
    ledger::{Ledger, time},
    server::Home,
};

fn runs(ledger: &Ledger, bot: &str) -> usize {
    ledger.with(bot, "succeeded").len()
}

#[test]
fn slots_of_a_bot_that_is_switched_off_are_one_growing_row() {
    let home = Home::new(&config(&[Bot::every(1, "bot").with("enabled = false")]));
    let server = home.start();
    let grown = |most: i64| {
        move |ledger: &Ledger| {
            ledger
                .because("bot", "disabled")
                .iter()
                .any(|row| row.slots >= most)
        }
    };
    server.wait_for("slots", grown(2));
    server.wait_for("more slots", grown(5));
    server.stop();
    home.configure(&config(&[Bot::every(1, "bot")]));
    let server = home.start();
    server.wait_for("runs", |ledger| runs(ledger, "bot") >= 2);
    server.stop();
    let ledger = home.ledger();
    assert_eq!(ledger.because("bot", "disabled").len(), 1, "{ledger}");
    assert_eq!(ledger.of("bot")[0].status, "skipped");
    ledger.assert_every_slot_is_accounted_for("bot", 1);
}

#[test]
fn starts_at_and_ends_at_bound_the_slots() {
    let (from, to) = (
        Utc::now() + TimeDelta::seconds(3),
        Utc::now() + TimeDelta::seconds(6),
    );
    let bounds = format!(
        "starts_at = \"{}\"\nends_at = \"{}\"",
        from.to_rfc3339(),
        to.to_rfc3339()
    );
    let home = Home::new(&config(&[Bot::every(1, "bot").with(&bounds)]));
    let server = home.start();
    let ledger = server.wait_for("the end", |ledger| {
        ledger.state("bot").next_run.is_none() && ledger.with("bot", "running").is_empty()
    });
    server.stop();
    let slots: Vec<_> = ledger.of("bot").iter().map(|row| row.slot()).collect();
    assert!((2..=4).contains(&slots.len()), "{ledger}");
    assert!(
        slots.iter().all(|slot| *slot >= from && *slot <= to),
        "{from} {to} {ledger}"
    );
}

#[test]
fn after_max_runs_the_bot_is_finished_for_ever() {
    let home = Home::new(&config(&[
        Bot::every(1, "bot").with("max_runs = 2"),
        Bot::every(1, "other"),
    ]));
    let server = home.start();
    server.wait_for("the end", |ledger| ledger.state("bot").next_run.is_none());
    server.wait_for("others going on", |ledger| runs(ledger, "other") >= 4);
    server.stop();
    let server = home.start();
    let before = runs(&home.ledger(), "other");
    server.wait_for("others going on", |ledger| {
        runs(ledger, "other") >= before + 2
    });
    server.stop();
    let ledger = home.ledger();
    assert_eq!(runs(&ledger, "bot"), 2, "{ledger}");
    assert_eq!(ledger.state("bot").runs, 2);
}

#[test]
fn the_old_schedule_counts_up_to_the_edit_and_the_new_one_after_it() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    let server = home.start();
    server.wait_for("runs", |ledger| runs(ledger, "bot") >= 2);
    server.stop();
    let hour_ago = Utc::now().trunc_subsecs(0) - TimeDelta::hours(1);
    home.sql("DELETE FROM actor_server_executions; DELETE FROM actor_server_posts");
    let hour_ago = crate::ledger::stored(hour_ago);
    home.sql(&format!(
        "UPDATE actor_server_state SET anchor = '{hour_ago}', next_run = '{hour_ago}'"
    ));
    home.configure(&config(&[Bot::every(2, "bot")]));
    let server = home.start();
    server.wait_for("runs", |ledger| runs(ledger, "bot") >= 3);
    server.stop();
    let ledger = home.ledger();
    let (anchor, old) = (
        time(&ledger.state("bot").anchor),
        ledger.because("bot", "late"),
    );
    assert_eq!(old.len(), 1, "{ledger}");
    assert_eq!(old[0].slot(), time(&hour_ago));
    assert_eq!(
        old[0].slots,
        (anchor - time(&hour_ago)).num_seconds() + 1,
        "every second of the hour: {ledger}"
    );
    let new: Vec<i64> = ledger
        .of("bot")
        .iter()
        .skip(1)
        .map(|row| row.slot().timestamp())
        .collect();
    assert!(
        new.windows(2).all(|pair| pair[1] - pair[0] == 2),
        "{ledger}"
    );
}

#[test]
fn removing_a_bot_closes_its_ledger_and_bringing_it_back_goes_on() {
    let home = Home::new(&config(&[Bot::every(1, "bot"), Bot::every(1, "other")]));
    let server = home.start();
    server.wait_for("runs", |ledger| runs(ledger, "bot") >= 2);
    server.stop();
    home.configure(&config(&[Bot::every(1, "other")]));
    let before = runs(&home.ledger(), "other");
    let server = home.start();
    server.wait_for("others going on", |ledger| {
        runs(ledger, "other") >= before + 2
    });
    server.stop();
    let gone = home.ledger();
    assert!(
        gone.state("bot").removed && gone.state("bot").next_run.is_none(),
        "{gone}"
    );
    gone.assert_nothing_is_running();
    home.configure(&config(&[Bot::every(1, "bot"), Bot::every(1, "other")]));
    let server = home.start();
    let before = runs(&gone, "bot");
    server.wait_for("runs again", |ledger| runs(ledger, "bot") >= before + 2);
    server.stop();
    let ledger = home.ledger();
    assert_eq!(
        ledger.state("bot").anchor,
        gone.state("bot").anchor,
        "the grid stays"
    );
    assert!(!ledger.state("bot").removed);
    let last = gone
        .of("bot")
        .last()
        .map(|row| row.slot_last.clone().or(row.scheduled_for.clone()));
    let since = ledger
        .of("bot")
        .into_iter()
        .find(|row| row.scheduled_for > last.clone().flatten());
    assert!(
        since.unwrap().slot() > time(&last.flatten().unwrap()),
        "{ledger}"
    );
}

#[test]
fn editing_anything_but_the_schedule_leaves_the_slots_alone() {
    let home = Home::new(&config(&[Bot::every(1, "bot")]));
    let server = home.start();
    server.wait_for("runs", |ledger| runs(ledger, "bot") >= 2);
    server.stop();
    let before = runs(&home.ledger(), "bot");
    home.configure(&config(&[
        Bot::every(1, "bot").with("overlap = \"allow_all\"\ntimeout_seconds = 7")
    ]));
    let server = home.start();
    server.wait_for("runs", |ledger| runs(ledger, "bot") >= before + 2);
    server.stop();
    home.ledger().assert_every_slot_is_accounted_for("bot", 1);
}
