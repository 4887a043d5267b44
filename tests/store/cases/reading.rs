//! What readers see, and what is forgotten.

use actor_server::{
    domain::{
        Instant,
        hold::HoldKind,
        outcome::{Gap, Status},
        post::PostStatus,
    },
    store::{PostMark, Write},
};
use chrono::{TimeDelta, Utc};
use serde_json::json;

use crate::{
    fixture::{Fixture, replica},
    process::{Process, ending, fate, insertion, message, name, outcome, slot, starting, state},
};

pub(crate) async fn rows_come_newest_first_and_no_more_than_asked_for(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let (bot, other) = (a.register("bot").await, a.register("other").await);
    for n in 0..3 {
        a.finish(&bot, n, Status::Succeeded).await;
        a.finish(&other, n, Status::Failed).await;
    }
    let all = a.store.ledger(None, 100).await.unwrap();
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted_by(|newer, older| newer.id > older.id));
    let two = a.store.ledger(Some(&bot), 2).await.unwrap();
    let slots: Vec<_> = two.iter().map(|row| row.scheduled_for).collect();
    assert_eq!(slots, [Some(slot(2)), Some(slot(1))]);
    assert!(two.iter().all(|row| row.bot == bot));
    assert!(a.store.ledger(None, 0).await.unwrap().is_empty());
}

pub(crate) async fn due_bots_are_those_whose_next_slot_has_come(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    for (bot, next) in [("later", 7), ("b", 5), ("a", 5), ("early", 1)] {
        let mut state = state(bot);
        state.next_run = Some(slot(next));
        a.write(insertion(&state)).await;
    }
    let mut finished = state("finished");
    finished.next_run = None;
    let mut removed = state("removed");
    removed.removed = true;
    a.try_write(&[insertion(&finished), insertion(&removed)])
        .await
        .unwrap();
    let due = async |until| -> Vec<String> {
        let states = a.store.due(until).await.unwrap();
        states.iter().map(|state| state.bot.to_string()).collect()
    };
    let micro = TimeDelta::microseconds(1);
    assert_eq!(due(slot(1) - micro).await, [""; 0]);
    assert_eq!(due(slot(1)).await, ["early"]);
    assert_eq!(due(slot(5) - micro).await, ["early"]);
    assert_eq!(due(slot(5) + micro).await, ["early", "a", "b"]);
    assert_eq!(due(slot(99)).await, ["early", "a", "b", "later"]);
}

pub(crate) async fn what_others_gave_back_held_or_resumed_is_due(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let execution = a.claim(&bot, 0).await;
    assert!(b.store.due(slot(0)).await.unwrap().is_empty());
    a.write(Write::Release { execution }).await;
    a.hold(&bot, HoldKind::Manual).await;
    let held = b.store.due(slot(0)).await.unwrap();
    assert_eq!(held, [a.state(&bot).await]);
    assert!(held[0].hold.is_some());
    let resume = Write::ClearHold {
        bot: bot.clone(),
        kind: None,
    };
    a.write(resume).await;
    assert_eq!(b.store.due(slot(0)).await.unwrap()[0].hold, None);
}

pub(crate) async fn live_rows_are_those_of_one_process(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    let run = a.run(&bot, 0).await;
    let waits = a.claim(&bot, 1).await;
    let trigger = b.trigger(&bot).await;
    let live = a.store.live(&a.id).await.unwrap();
    let found: Vec<_> = live
        .iter()
        .map(|row| (row.claim.execution, row.started_at, row.claim.slot))
        .collect();
    assert_eq!(
        found,
        [
            (run, Some(slot(0)), Some(slot(0))),
            (waits, None, Some(slot(1)))
        ]
    );
    assert_eq!(live[1].claim.due, slot(1));
    let theirs = a.store.live(&b.id).await.unwrap();
    assert_eq!(theirs[0].claim.execution, trigger);
    assert_eq!(theirs[0].claim.slot, None);
    assert_eq!(live[1].metadata, json!({}));
    assert_eq!(theirs[0].metadata, json!({"note": "now"}));
}

pub(crate) async fn times_keep_their_microseconds(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    for (n, micros) in (0..).zip([0, 1, 10, 999_999]) {
        let bot = a.register(&format!("bot{n}")).await;
        let id = a.claim(&bot, 0).await;
        let at = slot(0) + TimeDelta::microseconds(micros);
        a.write(Write::Start(starting(id, &bot, at))).await;
        assert_eq!(a.row(&bot, id).await.started_at, Some(at));
    }
}

pub(crate) async fn odd_texts_come_back_as_they_were(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let texts = [
        String::new(),
        "'; DROP TABLE actor_server_state; --".into(),
        "\u{202e}right to left\u{200b} 👩‍👩‍👧‍👦 \u{1}\t\r\n".into(),
        "\\u0041 %s {} $1 ?1 :name".into(),
        "🦀".repeat(100_000),
    ];
    for (n, text) in texts.iter().enumerate() {
        let mut odd = state(&format!("bot{n}"));
        odd.actor_name.clone_from(text);
        odd.schedule = Some(text.clone());
        a.write(insertion(&odd)).await;
        assert!(a.state(&odd.bot).await == odd, "text {n}");
        let id = a.run_by(&odd.bot, text).await;
        let mut end = outcome(Status::Failed);
        end.error = Some(text.clone());
        a.write(ending(id, &odd.bot, 0, end)).await;
        let row = a.row(&odd.bot, id).await;
        assert!(row.error.as_ref() == Some(text), "error {n}");
    }
}

pub(crate) async fn a_store_that_is_open_answers(fixture: &dyn Fixture) {
    let store = fixture.store();
    store.ping().await.unwrap();
    assert!(!store.database_id().is_empty());
}

pub(crate) async fn a_beat_answers_with_a_clock_and_counts_the_living(fixture: &dyn Fixture) {
    let store = fixture.store();
    let me = replica("a");
    let beats = [
        store.beat(&me).await.unwrap(),
        store.beat(&me).await.unwrap(),
    ];
    assert!(beats.iter().all(|beat| beat.replicas == 1), "{beats:?}");
    assert!(beats[0].now <= beats[1].now);
    #[expect(
        clippy::disallowed_methods,
        reason = "the store's clock is compared with it"
    )]
    let far = (Utc::now() - beats[1].now).abs();
    assert!(far < TimeDelta::minutes(5), "{far}");
    store.sign_off(&me.id).await.unwrap();
    store.sign_off(&me.id).await.unwrap();
    assert_eq!(store.beat(&replica("b")).await.unwrap().replicas, 1);
}

pub(crate) async fn what_ended_long_ago_is_forgotten_and_nothing_else(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    for n in 0..4 {
        let id = a.run(&bot, n).await;
        let post = a.post(message(id, &bot, n)).await;
        let mark = PostMark {
            frees_item: false,
            id: post.id,
            status: PostStatus::Sent,
            attempts: 1,
            platform_message_id: None,
            error: None,
            posted_at: (n != 3).then_some(slot(n)),
        };
        if n != 0 {
            a.write(Write::MarkPost(mark)).await;
        }
        if n != 1 {
            a.write(ending(id, &bot, n, outcome(Status::Succeeded)))
                .await;
        }
    }
    a.skip(&bot, 4, 4, Gap::Late).await;
    a.skip(&bot, 5, 9, Gap::Window).await;
    // Of the runs 0, 2 and 3 have ended; the gap up to 9 ends after the limit. Post 0 is pending, 2 sent after the limit.
    let pruned = a.store.prune(slot(9), slot(2)).await.unwrap();
    assert_eq!(pruned, 4 + 1);
    let fates: Vec<_> = a.rows(&bot).await.iter().map(fate).collect();
    assert_eq!(fates, ["running", "missed/window"]);
    let left = a.store.posts(None, 10).await.unwrap();
    let bodies: Vec<_> = left.iter().map(|post| post.message.body.as_str()).collect();
    assert_eq!(bodies, ["message 3", "message 2", "message 0"]);
    assert_eq!(a.state(&bot).await.next_run, Some(slot(10)));
    assert_eq!(a.store.prune(slot(9), slot(2)).await.unwrap(), 0);
}

pub(crate) async fn pruning_goes_on_past_what_has_to_stay(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let batch: Vec<Write> = (0..2500).map(|_| trigger(&bot)).collect();
    a.try_write(&batch).await.unwrap();
    let ids: Vec<_> = a.store.live(&a.id).await.unwrap();
    let last = ids.last().unwrap().claim.execution;
    let end = Write::Release { execution: last };
    a.write(end).await;
    let closed = a.row(&bot, last).await.completed_at.unwrap();
    let later = closed + TimeDelta::seconds(1);
    assert_eq!(a.store.prune(later, later).await.unwrap(), 1);
    assert_eq!(a.rows(&bot).await.len(), 2499);
}

fn trigger(bot: &actor_server::domain::bot::BotName) -> Write {
    Write::Insert {
        bot: bot.clone(),
        trigger: actor_server::domain::run::Trigger::Event,
        metadata: json!({}),
        key: None,
    }
}

pub(crate) async fn one_state_is_found_by_its_name(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let (bot, _) = (a.register("bot").await, a.register("other").await);
    a.hold(&bot, HoldKind::Manual).await;
    let found = a.store.state(&bot).await.unwrap();
    assert_eq!(found, Some(a.state(&bot).await));
    assert_eq!(a.store.state(&name("nobody")).await.unwrap(), None);
}

/// The store's clock.
async fn now(process: &Process) -> Instant {
    let me = replica(process.id.as_str());
    process.store.beat(&me).await.unwrap().now
}

async fn changed(process: &Process, since: Instant) -> Vec<String> {
    let states = process.store.changed(since).await.unwrap();
    states.iter().map(|state| state.bot.to_string()).collect()
}

pub(crate) async fn states_that_were_written_lately_are_changed(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let before = now(&a).await;
    let (one, two) = (a.register("one").await, a.register("two").await);
    assert_eq!(changed(&a, before).await, ["one", "two"]);
    let between = now(&a).await;
    a.hold(&two, HoldKind::Manual).await;
    assert_eq!(changed(&a, between).await, ["two"]);
    let states = a.store.changed(between).await.unwrap();
    assert_eq!(states, [a.state(&two).await]);
    a.write(Write::ClearHold {
        bot: one.clone(),
        kind: None,
    })
    .await;
    assert_eq!(changed(&a, between).await, ["one", "two"]);
    let far = now(&a).await + TimeDelta::days(1);
    assert!(changed(&a, far).await.is_empty());
    assert_eq!(changed(&a, Instant::MIN_UTC).await.len(), 2);
    assert!(changed(&a, Instant::MAX_UTC).await.is_empty());
}

pub(crate) async fn every_write_of_a_state_counts_as_a_change(fixture: &dyn Fixture) {
    let a = fixture.join("a").await;
    let bot = a.register("bot").await;
    let mut last = now(&a).await;
    let id = a.claim(&bot, 0).await;
    let writes = [
        Write::Start(starting(id, &bot, slot(0))),
        ending(id, &bot, 0, outcome(Status::Failed)),
    ];
    assert_eq!(changed(&a, last).await, ["bot"], "the claim");
    for write in writes {
        last = now(&a).await;
        a.write(write).await;
        assert_eq!(changed(&a, last).await, ["bot"]);
    }
    let execution = a.claim(&bot, 1).await;
    last = now(&a).await;
    a.write(Write::Release { execution }).await;
    assert_eq!(changed(&a, last).await, ["bot"], "the release");
}

pub(crate) async fn processes_are_told_of_oldest_first(fixture: &dyn Fixture) {
    let store = fixture.store();
    let told = async || -> Vec<(String, bool)> {
        let rows = store.replicas().await.unwrap();
        rows.into_iter().map(|row| (row.id, row.alive)).collect()
    };
    let first = replica("z");
    let mut second = replica("a");
    second.started_at = slot(9);
    second.address = "10.0.0.1:3000".into();
    for process in [&second, &first] {
        store.beat(process).await.unwrap();
    }
    assert_eq!(told().await, [("z".into(), true), ("a".into(), true)]);
    let rows = store.replicas().await.unwrap();
    let a = &rows[1];
    assert_eq!(
        (a.address.as_str(), a.version.as_str()),
        ("10.0.0.1:3000", "0.0.0")
    );
    assert_eq!(a.started_at, slot(9));
    assert!(a.last_seen >= rows[0].last_seen - TimeDelta::minutes(1));
    store.sign_off(&second.id).await.unwrap();
    assert_eq!(told().await, [("z".into(), true)]);
}

pub(crate) async fn the_outbox_is_what_is_pending_whoevers_it_is(fixture: &dyn Fixture) {
    let (a, b) = (fixture.join("a").await, fixture.join("b").await);
    let bot = a.register("bot").await;
    assert_eq!(a.store.outbox().await.unwrap(), 0);
    let mut posts = Vec::new();
    for (n, process) in (0..).zip([&a, &a, &b, &b]) {
        let id = process.run(&bot, n).await;
        posts.push(process.post(message(id, &bot, n)).await);
    }
    assert_eq!(a.store.outbox().await.unwrap(), 4);
    let ends = [PostStatus::Sent, PostStatus::Failed, PostStatus::Dead];
    for (post, status) in posts.iter().zip(ends) {
        let mark = PostMark {
            frees_item: false,
            id: post.id,
            status,
            attempts: 1,
            platform_message_id: None,
            error: None,
            posted_at: None,
        };
        b.write(Write::MarkPost(mark)).await;
    }
    assert_eq!(a.store.outbox().await.unwrap(), 1);
}

pub(crate) async fn the_version_of_the_schema_is_that_of_its_newest_step(fixture: &dyn Fixture) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let steps = std::fs::read_dir(folder).unwrap();
    let names = steps.map(|step| step.unwrap().file_name().into_string().unwrap());
    let newest = names.map(|name| name[..4].parse().unwrap()).max();
    assert_eq!(fixture.store().schema_version().await.ok(), newest);
}
