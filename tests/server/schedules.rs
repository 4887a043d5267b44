//! The four kinds of schedules fire, are recorded, and go on after a restart.

use chrono::{TimeDelta, Utc};

use crate::{
    bots::{Bot, config},
    ledger::time,
    server::Home,
};

fn once(name: &str, after: i64) -> Bot {
    let at = (Utc::now() + TimeDelta::seconds(after)).to_rfc3339();
    Bot::new(name, &format!("type = \"Once\"\nat = \"{at}\""))
}

fn cron(name: &str) -> Bot {
    Bot::new(
        name,
        "type = \"Cron\"\nexpression = \"*/2 * * * * * *\"\ntimezone = \"UTC\"",
    )
}

fn four_kinds() -> Home {
    Home::new(&config(&[
        Bot::every(1, "interval"),
        cron("cron"),
        once("once", 2),
        Bot::new("immediate", "type = \"Immediate\""),
    ]))
}

#[test]
fn all_four_kinds_of_schedules_run_and_each_post_is_printed_once() {
    let home = four_kinds();
    let server = home.start();
    server.wait_for("runs of every kind", |ledger| {
        ledger.with("interval", "succeeded").len() >= 4
            && ledger.with("cron", "succeeded").len() >= 2
            && ledger.with("once", "succeeded").len() == 1
            && ledger.with("immediate", "succeeded").len() == 1
    });
    server.stop();
    let ledger = home.ledger();
    ledger.assert_nothing_is_running();
    ledger.assert_every_slot_is_accounted_for("interval", 1);
    for bot in ["interval", "cron", "once", "immediate"] {
        let runs = ledger.with(bot, "succeeded");
        let posts = ledger.posts_of(bot);
        assert_eq!(posts.len(), runs.len(), "{ledger}");
        assert!(
            posts
                .iter()
                .all(|post| post.status == "sent" && post.attempts == 1)
        );
        let bodies: Vec<String> = posts.iter().map(|post| post.body.clone()).collect();
        assert_eq!(home.posted(bot), bodies);
    }
    assert!(ledger.state("once").next_run.is_none());
    assert!(ledger.state("immediate").next_run.is_none());
}

#[test]
fn a_restart_keeps_the_grid_and_one_time_slots_do_not_come_again() {
    let home = four_kinds();
    let server = home.start();
    let both_ran = |ledger: &crate::ledger::Ledger| {
        ledger.with("once", "succeeded").len() == 1
            && ledger.with("immediate", "succeeded").len() == 1
    };
    server.wait_for("the one-time runs", both_ran);
    server.stop();
    let before = home.ledger();
    let server = home.start();
    server.wait_for("three more runs", |ledger| {
        ledger.with("interval", "succeeded").len() >= before.with("interval", "succeeded").len() + 3
    });
    server.stop();
    let ledger = home.ledger();
    assert_eq!(
        ledger.state("interval").anchor,
        before.state("interval").anchor
    );
    ledger.assert_every_slot_is_accounted_for("interval", 1);
    assert_eq!(ledger.of("once").len(), 1);
    assert_eq!(ledger.of("immediate").len(), 1);
}

#[test]
fn slots_of_a_cron_bot_fall_on_its_expression_and_start_on_time() {
    let home = Home::new(&config(&[cron("cron")]));
    let server = home.start();
    let ledger = server.wait_for("three runs", |ledger| {
        ledger.with("cron", "succeeded").len() >= 3
    });
    let slots: Vec<i64> = ledger
        .of("cron")
        .iter()
        .map(|row| row.slot().timestamp())
        .collect();
    assert!(slots.iter().all(|slot| slot % 2 == 0), "{slots:?}");
    assert!(
        slots.windows(2).all(|pair| pair[1] - pair[0] == 2),
        "{slots:?}"
    );
    for row in ledger.with("cron", "succeeded") {
        assert!(
            row.lateness() >= TimeDelta::zero() && row.lateness() < TimeDelta::seconds(2),
            "{row:?}"
        );
    }
    let state = ledger.state("cron");
    assert!(time(state.last_run.as_deref().unwrap()) >= time(&state.anchor));
}
