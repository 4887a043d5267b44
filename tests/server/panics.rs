//! A panic anywhere costs at most the run in which it happened: the actor is back, its reason is known, and all bots keep
//! their schedules.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    bots::{Bot, SERVER, config_with},
    discord::{FakeDiscord, TOKEN},
    ledger::Ledger,
    server::{Home, Server},
};

const BOTS: [&str; 3] = ["one", "two", "three"];

fn three_bots() -> Home {
    Home::new(&config_with(SERVER, &BOTS.map(|name| Bot::every(2, name))))
}

/// When the line was logged.
fn logged_at(line: &str) -> DateTime<Utc> {
    let stamp = line.split_whitespace().next().unwrap();
    DateTime::parse_from_rfc3339(stamp).unwrap().to_utc()
}

/// Lets the server run into panics, one at each point, and goes on until all bots have run for some time after the last.
fn survive(actor: &str, points: &[&str]) -> Ledger {
    let home = three_bots();
    let failpoints = points
        .iter()
        .map(|point| format!("{point}=2*off->1*panic(boom at {point})"));
    let server = home.start_failing(&failpoints.collect::<Vec<_>>().join(";"));
    for point in points {
        let line = died(&server, &format!("boom at {point}"));
        let (_, child) = line.split_once("child=").unwrap();
        assert!(child.trim_matches('"').starts_with(actor), "{line}");
    }
    let after = Utc::now();
    let fine = |ledger: &Ledger, bot: &str| {
        let runs = ledger.with(bot, "succeeded");
        runs.iter().filter(|row| row.slot() > after).count() >= 2
    };
    server.wait_for("runs after the last panic", |ledger| {
        BOTS.iter().all(|bot| fine(ledger, bot))
    });
    server.stop();
    let ledger = home.ledger();
    ledger.assert_nothing_is_running();
    for bot in BOTS {
        ledger.assert_every_slot_is_accounted_for(bot, 2);
    }
    ledger
}

fn died(server: &Server<'_>, text: &str) -> String {
    server.wait_for_log(text);
    server.wait_for_log(&format!("reason=panic: {text}"))
}

/// A panic of the core costs no run at all.
fn assert_every_slot_ran(ledger: &Ledger) {
    for row in &ledger.rows {
        assert_eq!(row.status, "succeeded", "{ledger}");
        assert!(row.lateness() < TimeDelta::seconds(2), "{row:?}\n{ledger}");
    }
}

#[test]
fn the_scheduler_may_panic_anywhere() {
    let points = ["scheduler.handle", "scheduler.timer", "scheduler.future"];
    assert_every_slot_ran(&survive("scheduler", &points));
}

#[test]
fn the_owner_of_the_store_may_panic_anywhere() {
    let points = ["persistence.handle", "persistence.future"];
    assert_every_slot_ran(&survive("persistence", &points));
}

#[test]
fn the_health_check_may_panic_anywhere() {
    assert_every_slot_ran(&survive("health_check", &["health.handle", "health.timer"]));
}

#[test]
fn the_coordinator_may_panic_anywhere() {
    assert_every_slot_ran(&survive(
        "coordinator",
        &["coordinator.handle", "coordinator.timer"],
    ));
}

#[test]
fn core_actors_may_panic_while_they_start() {
    let home = three_bots();
    let points = ["coordinator", "persistence", "scheduler", "health"];
    let failpoints: Vec<String> = points
        .iter()
        .map(|point| format!("{point}.started=1*panic(boom at {point})"))
        .collect();
    let server = home.start_failing(&failpoints.join(";"));
    for point in points {
        died(&server, &format!("boom at {point}"));
    }
    let ledger = server.wait_for("runs", |ledger| {
        BOTS.iter()
            .all(|bot| ledger.with(bot, "succeeded").len() >= 2)
    });
    assert_every_slot_ran(&Ledger {
        rows: ledger
            .rows
            .iter()
            .filter(|row| row.completed_at.is_some())
            .cloned()
            .collect(),
        ..ledger
    });
    server.stop();
}

#[test]
fn a_coordinator_that_panics_over_a_death_still_learns_of_it() {
    let home = three_bots();
    let failpoints =
        "coordinator.future=1*panic(boom at notice);scheduler.timer=4*off->2*panic(boom at timer)";
    let server = home.start_failing(failpoints);
    died(&server, "boom at timer");
    died(&server, "boom at notice");
    let after = home.ledger().with("one", "succeeded").len();
    server.wait_for("runs", |ledger| {
        ledger.with("one", "succeeded").len() >= after + 2
    });
    server.stop();
    assert_every_slot_ran(&home.ledger());
}

#[test]
fn writing_may_panic_and_no_write_is_lost() {
    let home = three_bots();
    let server = home.start_failing("persistence.write=3*off->2*panic(boom)->3*off->1*panic(boom)");
    server.wait_for("runs", |ledger| {
        BOTS.iter()
            .all(|bot| ledger.with(bot, "succeeded").len() >= 3)
    });
    server.stop();
    let ledger = home.ledger();
    assert_every_slot_ran(&ledger);
    assert_eq!(ledger.posts.len(), ledger.rows.len(), "{ledger}");
    assert!(home.stderr().contains("writing panicked"));
}

#[test]
fn the_actor_of_a_bot_may_panic_and_costs_at_most_its_run() {
    let ledger = survive("task/", &["task.handle", "task.future"]);
    assert_only_these_runs_panicked(&ledger, 2);
}

#[test]
fn the_actor_of_a_bot_may_panic_while_it_starts() {
    let home = three_bots();
    let server = home.start_failing("task.started=1*off->1*panic(boom)");
    died(&server, "boom");
    server.wait_for("runs", |ledger| {
        BOTS.iter()
            .all(|bot| ledger.with(bot, "succeeded").len() >= 2)
    });
    server.stop();
    assert_only_these_runs_panicked(&home.ledger(), 1);
}

fn assert_only_these_runs_panicked(ledger: &Ledger, most: usize) {
    let panicked = ledger
        .rows
        .iter()
        .filter(|row| row.status == "panicked")
        .count();
    assert!(panicked <= most, "{ledger}");
    for row in &ledger.rows {
        assert!(
            matches!(row.status.as_str(), "succeeded" | "panicked"),
            "{ledger}"
        );
        assert!(row.lateness() < TimeDelta::seconds(2), "{row:?}\n{ledger}");
    }
}

#[test]
#[ignore = "takes half a minute: scripts/test --full"]
fn the_timer_of_a_bots_actor_may_panic() {
    let home = three_bots();
    let server = home.start_failing("task.timer=1*panic(boom)");
    let minute = Duration::from_secs(60);
    server.wait_longer_for(minute, "half a minute of runs", |ledger| {
        ledger.with("one", "succeeded").len() >= 17
    });
    died(&server, "boom");
    let after = home.ledger().with("one", "succeeded").len();
    server.wait_for("runs", |ledger| {
        ledger.with("one", "succeeded").len() >= after + 2
    });
    server.stop();
    assert_only_these_runs_panicked(&home.ledger(), 1);
}

#[test]
fn a_run_that_panics_is_recorded_with_its_reason_and_the_next_one_runs() {
    for point in ["run.started", "post.stored"] {
        let home = Home::new(&config_with(SERVER, &[Bot::every(1, "bot")]));
        let server = home.start_failing(&format!("{point}=1*panic(boom)"));
        server.wait_for("the next run", |ledger| {
            ledger.with("bot", "succeeded").len() >= 2
        });
        server.stop();
        let ledger = home.ledger();
        let first = ledger.of("bot")[0];
        assert_eq!(
            (first.status.as_str(), first.success),
            ("panicked", Some(false)),
            "{ledger}"
        );
        assert!(
            first.error_message.as_deref().unwrap().contains("boom"),
            "{ledger}"
        );
        assert_eq!(
            ledger.state("bot").consecutive_failures,
            0,
            "a success followed"
        );
    }
}

#[test]
fn a_panic_between_sending_and_marking_does_not_double_the_message() {
    let fake = FakeDiscord::start();
    let head = format!("{SERVER}\n[discord]\napi_url = \"{}\"\n", fake.url());
    let bot = Bot::new("bot", "type = \"Immediate\"")
        .with("channel_id = \"42\"")
        .retry("max_attempts = 3\ninitial_backoff_seconds = 0.1");
    let home = Home::new(&config_with(&head, &[bot]));
    home.set("DISCORD_TOKEN", TOKEN);
    let server = home.start_failing("post.sent=1*panic(boom)");
    let ledger = server.wait_for("the post", |ledger| {
        ledger.posts.iter().any(|post| post.status == "sent")
    });
    assert_eq!(
        (fake.messages().len(), ledger.posts.len()),
        (1, 1),
        "{ledger}"
    );
    server.stop();
}

const STRICT: &str = "
[server]
check_interval_seconds = 1
shutdown_grace_seconds = 2
[supervision]
max_restarts = 2
min_backoff_ms = 20
";

#[test]
fn a_bot_whose_actor_cannot_be_kept_alive_is_held_and_the_others_go_on() {
    let late = (Utc::now() + TimeDelta::seconds(4)).to_rfc3339();
    let bots = [
        Bot::every(1, "fine").file("quiet.toml"),
        Bot::every(1, "doomed").with(&format!("starts_at = \"{late}\"")),
    ];
    let home = Home::new(&config_with(STRICT, &bots));
    let server = home.start_failing("task.started=1*off->panic(boom)");
    server.wait_for("slots under the hold", |ledger| {
        ledger.is_held("doomed", "given_up")
            && ledger
                .because("doomed", "given_up")
                .iter()
                .any(|row| row.slots >= 3)
    });
    server.stop();
    let ledger = home.ledger();
    assert!(
        ledger
            .state("doomed")
            .hold_reason
            .as_deref()
            .unwrap()
            .contains("boom"),
        "{ledger}"
    );
    assert_eq!(ledger.because("doomed", "given_up").len(), 1, "{ledger}");
    ledger.assert_every_slot_ran("fine");
    ledger.assert_every_slot_is_accounted_for("fine", 1);
    ledger.assert_nothing_is_running();
    let server = home.start();
    let before = ledger.because("doomed", "given_up")[0].slots;
    server.wait_for("the hold after a restart", |ledger| {
        ledger.because("doomed", "given_up")[0].slots > before + 1
    });
    server.stop();
}

#[test]
fn a_core_actor_that_cannot_be_kept_alive_ends_the_process_with_its_reason() {
    for (point, child) in [
        ("coordinator.started", "coordinator"),
        ("persistence.started", "persistence"),
        ("persistence.timer", "persistence"),
        ("scheduler.started", "scheduler"),
        ("scheduler.timer", "scheduler"),
        ("health.started", "health_check"),
    ] {
        let home = Home::new(&config_with(STRICT, &[Bot::every(1, "bot")]));
        let mut server = home.launch(&[("FAILPOINTS", &format!("{point}=panic(boom at {point})"))]);
        let (status, _) = server.wait();
        assert_eq!(status.code(), Some(1), "{point}: {}", server.story());
        let said = server.stderr();
        let last = said.lines().last().unwrap();
        assert!(last.starts_with("actor-server: "), "{last}");
        assert!(
            last.contains(child) && last.contains(&format!("boom at {point}")),
            "{last}"
        );
    }
}

#[test]
fn the_actor_is_back_within_a_second() {
    let home = three_bots();
    let server = home.start_failing("scheduler.timer=6*off->1*panic(boom)");
    let died = died(&server, "boom");
    let ledger = server.wait_for("runs after it", |ledger| {
        ledger.rows.iter().any(|row| {
            row.started_at.is_some() && row.slot() > logged_at(&died) + TimeDelta::seconds(2)
        })
    });
    for row in &ledger.rows {
        if row.started_at.is_some() {
            assert!(row.lateness() < TimeDelta::seconds(2), "{ledger}");
        }
    }
    server.stop();
}
