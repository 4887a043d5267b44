//! The crash table: `kill -9` at each boundary in the life of a slot, and what the next start makes of it.

use nix::sys::signal::Signal;

use crate::{
    bots::{Bot, SERVER, config_with},
    discord::{FakeDiscord, TOKEN},
    ledger::{Ledger, Row, time},
    server::Home,
};

/// Longer than any test: the process stands at the point until it is killed.
const STAND: &str = "sleep(600000)";

/// A bot that died at some point of its first slot; there is no second one for an hour.
struct Crash {
    fake: FakeDiscord,
    home: Home,
    /// What the process left.
    left: Ledger,
}

impl Crash {
    /// Stops at `failpoint`, and kills once the ledger and Discord's messages are as they are there.
    fn at(failpoint: &str, policy: &str, there: impl Fn(&Ledger, usize) -> bool) -> Self {
        let fake = FakeDiscord::start();
        let head = format!("{SERVER}\n[discord]\napi_url = \"{}\"\n", fake.url());
        let bot = Bot::every(3600, "bot")
            .with("channel_id = \"42\"")
            .with(policy);
        let home = Home::new(&config_with(&head, &[bot]));
        home.set("DISCORD_TOKEN", TOKEN);
        let server = home.start_failing(&format!("{failpoint}={STAND}"));
        server.wait_for(failpoint, |ledger| there(ledger, fake.messages().len()));
        server.signal(Signal::SIGSTOP);
        let left = home.ledger();
        server.kill();
        Self { fake, home, left }
    }

    /// Starts again, waits for one ended run and no pending post, stops, and gives the run.
    fn afterwards(&self) -> (Row, Ledger) {
        let server = self.home.start();
        server.wait_for("the end", |ledger| {
            let runs = ledger.of("bot");
            runs.len() == 1
                && runs.iter().all(|row| row.completed_at.is_some())
                && ledger.posts.iter().all(|post| post.status != "pending")
        });
        server.stop();
        let ledger = self.home.ledger();
        ledger.assert_every_slot_is_accounted_for("bot", 3600);
        assert_eq!(self.fake.messages().len(), ledger.posts.len(), "{ledger}");
        (ledger.of("bot")[0].clone(), ledger)
    }

    fn messages(&self) -> usize {
        self.fake.messages().len()
    }
}

fn claimed(ledger: &Ledger) -> bool {
    ledger
        .with("bot", "running")
        .iter()
        .any(|row| row.started_at.is_none())
}

fn started(ledger: &Ledger) -> bool {
    ledger
        .with("bot", "running")
        .iter()
        .any(|row| row.started_at.is_some())
}

fn stored(ledger: &Ledger, status: &str) -> bool {
    started(ledger) && ledger.posts.iter().any(|post| post.status == status)
}

#[test]
fn before_the_claim_is_stored_the_slot_is_decided_anew() {
    let crash = Crash::at("persistence.write", "", |ledger, _| {
        let next = ledger
            .states
            .first()
            .and_then(|state| state.next_run.as_deref());
        next.is_some_and(|next| time(next) < chrono::Utc::now() - chrono::TimeDelta::seconds(2))
    });
    assert!(crash.left.rows.is_empty(), "{}", crash.left);
    let (run, ledger) = crash.afterwards();
    assert_eq!(
        (run.status.as_str(), run.attempt),
        ("succeeded", 1),
        "{ledger}"
    );
    assert_eq!(crash.messages(), 1);
}

#[test]
fn after_the_claim_it_is_released_and_the_slot_decided_anew() {
    let crash = Crash::at("slot.claimed", "", |ledger, _| claimed(ledger));
    let state = crash.left.state("bot");
    assert!(
        state.next_run > Some(state.anchor.clone()),
        "it had moved on"
    );
    let (run, ledger) = crash.afterwards();
    assert_eq!(
        (run.status.as_str(), run.attempt),
        ("succeeded", 1),
        "{ledger}"
    );
    assert_ne!(run.id, crash.left.rows[0].id, "the claim went");
    assert_eq!(crash.messages(), 1);
}

#[test]
fn a_claim_that_is_decided_anew_follows_the_rules_for_late_slots() {
    let policy = "misfire = \"do_nothing\"\nmisfire_threshold_seconds = 2";
    let too_late = chrono::TimeDelta::seconds(3);
    let crash = Crash::at("slot.claimed", policy, |ledger, _| {
        claimed(ledger) && ledger.rows[0].slot() < chrono::Utc::now() - too_late
    });
    let server = crash.home.start();
    server.wait_for("the verdict", |ledger| {
        !ledger.with("bot", "missed").is_empty()
    });
    server.stop();
    let ledger = crash.home.ledger();
    assert_eq!(ledger.because("bot", "late").len(), 1, "{ledger}");
    ledger.assert_every_slot_is_accounted_for("bot", 3600);
    assert_eq!(crash.messages(), 0);
}

#[test]
fn after_the_start_the_run_is_abandoned_and_posts_nothing() {
    let crash = Crash::at("run.started", "", |ledger, _| started(ledger));
    let (run, ledger) = crash.afterwards();
    assert_eq!(
        (run.status.as_str(), run.success),
        ("abandoned", Some(false)),
        "{ledger}"
    );
    assert!(ledger.posts.is_empty(), "{ledger}");
    assert_eq!(ledger.state("bot").consecutive_failures, 0, "{ledger}");
}

#[test]
fn after_the_start_the_run_is_run_again_when_the_bot_wants_it() {
    let crash = Crash::at("run.started", "recover_in_flight = true", |ledger, _| {
        started(ledger)
    });
    let (run, ledger) = crash.afterwards();
    assert_eq!(
        (run.status.as_str(), run.attempt),
        ("succeeded", 2),
        "{ledger}"
    );
    assert_eq!(run.id, crash.left.rows[0].id, "the same row");
    assert_eq!(crash.messages(), 1);
}

#[test]
fn a_post_that_was_stored_and_not_sent_is_sent_once() {
    sent_once_after("post.stored");
}

#[test]
fn a_post_whose_turn_had_come_and_that_was_not_sent_is_sent_once() {
    sent_once_after("post.turn");
}

fn sent_once_after(failpoint: &str) {
    let crash = Crash::at(failpoint, "", |ledger, _| stored(ledger, "pending"));
    assert_eq!(crash.messages(), 0);
    let (run, ledger) = crash.afterwards();
    assert_eq!(
        (run.status.as_str(), ledger.posts.len()),
        ("abandoned", 1),
        "{ledger}"
    );
    assert_eq!((crash.messages(), crash.fake.requests().len()), (1, 1));
}

#[test]
fn a_run_that_is_run_again_finds_its_stored_post() {
    let crash = Crash::at("post.stored", "recover_in_flight = true", |ledger, _| {
        stored(ledger, "pending")
    });
    let (run, ledger) = crash.afterwards();
    assert_eq!(
        (run.status.as_str(), run.attempt),
        ("succeeded", 2),
        "{ledger}"
    );
    assert_eq!(ledger.posts.len(), 1, "{ledger}");
    assert_eq!(crash.messages(), 1);
    assert_eq!(ledger.posts[0].nonce, crash.left.posts[0].nonce);
}

#[test]
fn a_post_that_was_sent_and_not_marked_is_not_doubled() {
    for policy in ["", "recover_in_flight = true"] {
        let crash = Crash::at("post.sent", policy, |ledger, sent| {
            stored(ledger, "pending") && sent == 1
        });
        let (run, ledger) = crash.afterwards();
        let status = if policy.is_empty() {
            "abandoned"
        } else {
            "succeeded"
        };
        assert_eq!(run.status, status, "{ledger}");
        let (messages, post) = (crash.fake.messages(), &ledger.posts[0]);
        assert_eq!((messages.len(), ledger.posts.len()), (1, 1), "{ledger}");
        assert_eq!(
            post.platform_message_id.as_deref(),
            Some(messages[0].id.as_str())
        );
        let requests = crash.fake.requests();
        assert!(
            requests
                .iter()
                .all(|request| request.payload["nonce"] == post.nonce.as_str())
        );
    }
}

#[test]
fn a_post_that_was_marked_is_not_sent_again() {
    for policy in ["", "recover_in_flight = true"] {
        let crash = Crash::at("task.future", policy, |ledger, _| stored(ledger, "sent"));
        let (run, ledger) = crash.afterwards();
        let status = if policy.is_empty() {
            "abandoned"
        } else {
            "succeeded"
        };
        assert_eq!(run.status, status, "{ledger}");
        assert_eq!(
            (crash.messages(), crash.fake.requests().len()),
            (1, 1),
            "{ledger}"
        );
    }
}

#[test]
fn after_the_end_is_stored_nothing_changes_any_more() {
    let crash = Crash::at("health.timer", "", |ledger, _| {
        !ledger.with("bot", "succeeded").is_empty()
    });
    let (run, ledger) = crash.afterwards();
    assert_eq!(
        (run.status.as_str(), run.attempt),
        ("succeeded", 1),
        "{ledger}"
    );
    assert_eq!(run.completed_at, crash.left.rows[0].completed_at);
    assert_eq!((crash.messages(), crash.fake.requests().len()), (1, 1));
}

#[test]
fn a_bot_that_dies_with_every_process_runs_again_each_time() {
    let crash = Crash::at("post.stored", "recover_in_flight = true", |ledger, _| {
        stored(ledger, "pending")
    });
    for attempt in 2..=3 {
        let server = crash.home.start_failing(&format!("post.stored={STAND}"));
        server.wait_for("another attempt", |ledger| {
            ledger
                .with("bot", "running")
                .iter()
                .any(|row| row.attempt == attempt && row.started_at.is_some())
        });
        server.kill();
    }
    let (run, ledger) = crash.afterwards();
    assert_eq!(
        (run.status.as_str(), run.attempt),
        ("succeeded", 4),
        "{ledger}"
    );
    assert_eq!(crash.messages(), 1);
}

#[test]
fn a_run_is_run_again_however_many_slots_have_passed() {
    let bot = Bot::every(1, "bot")
        .with("recover_in_flight = true\nmisfire = \"do_nothing\"\nmisfire_threshold_seconds = 1");
    let home = Home::new(&config_with(SERVER, &[bot]));
    let server = home.start_failing(&format!("post.stored={STAND}"));
    server.wait_for("slots behind the run", |ledger| {
        stored(ledger, "pending")
            && ledger
                .because("bot", "overlap")
                .iter()
                .map(|row| row.slots)
                .sum::<i64>()
                >= 3
    });
    server.kill();
    let server = home.start();
    server.wait_for("runs", |ledger| ledger.with("bot", "succeeded").len() >= 3);
    server.stop();
    let ledger = home.ledger();
    let first = ledger.since_first_run("bot")[0];
    assert_eq!(
        (first.status.as_str(), first.attempt),
        ("succeeded", 2),
        "{ledger}"
    );
    ledger.assert_every_slot_is_accounted_for("bot", 1);
}
