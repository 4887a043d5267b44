//! The AlertActor in a whole server, with channels that answer as they are told.

use std::{slice::from_ref, sync::Arc, time::Duration};

use actor_server::{
    actors::{
        alarms::Alarm,
        alerting::tell_what_is_due,
        messages::{ChildState, Inspect},
        supervision::Child,
    },
    domain::{
        fact::{Accounted, Fact},
        hold::{Hold, HoldKind},
        outcome::Status,
    },
};
use chrono::TimeDelta;

use super::{
    bots::{bot, name},
    desk::{Desk, Meet, Scripted, ended, rules, setting},
    server::Server,
    stand::eventually,
};

fn webhook(script: impl IntoIterator<Item = Meet>) -> Scripted {
    Scripted::new("webhook", script)
}

#[actix_rt::test]
async fn a_bot_that_fails_is_told_of_once_and_so_is_its_recovery() {
    let channel = webhook([]);
    let desk = Desk::with(from_ref(&channel)).await;
    for in_a_row in 1..=4 {
        desk.ended(in_a_row);
    }
    channel.hears(&["raised failures/a"]).await;
    desk.reads(&[("sent", 1)]).await;
    assert_eq!(desk.open().await, ["failures/a"]);
    desk.ended(0);
    channel
        .hears(&["raised failures/a", "recovered failures/a"])
        .await;
    desk.reads(&[("sent", 1), ("sent", 1)]).await;
    assert_eq!(desk.open().await, Vec::<String>::new());
    desk.ended(0);
    let metrics = desk.server.stand.env.metrics.render(&Default::default());
    let sent = "botticelli_alerts_total{channel=\"webhook\",outcome=\"sent\"} 2";
    assert!(metrics.contains(sent), "{metrics}");
    assert!(metrics.contains("botticelli_connection_status{dependency=\"alert_webhook\"} 1"));
}

#[actix_rt::test]
async fn a_hold_is_one_page_and_says_more_than_the_failure_that_led_to_it() {
    let channel = webhook([]);
    let desk = Desk::with(from_ref(&channel)).await;
    // The fifth failure in a row is the one that sets the hold.
    desk.ended(5);
    let hold = Hold::by_server(HoldKind::Failures, "5 failed runs in a row");
    let bot = name("a");
    desk.tell(Alarm::Fact(Fact::HoldSet { bot, hold }));
    channel.hears(&["raised held/a"]).await;
    desk.reads(&[("sent", 1)]).await;
}

#[actix_rt::test]
async fn a_hold_takes_the_place_of_failures_that_were_told_of_and_ends_with_the_resume() {
    let channel = webhook([]);
    let desk = Desk::with(from_ref(&channel)).await;
    desk.ended(3);
    channel.hears(&["raised failures/a"]).await;
    let hold = Hold::by_server(HoldKind::Refused, "403");
    let bot = name("a");
    desk.tell(Alarm::Fact(Fact::HoldSet { bot, hold }));
    let so_far = ["raised failures/a", "recovered failures/a", "raised held/a"];
    channel.hears(&so_far).await;
    desk.tell(Alarm::Fact(Fact::HoldCleared { bot: name("a") }));
    let all = [&so_far[..], &["recovered held/a"]].concat();
    channel.hears(&all).await;
    assert_eq!(desk.open().await, Vec::<String>::new());
}

#[actix_rt::test]
async fn an_operators_pause_is_told_to_nobody() {
    let channel = webhook([]);
    let desk = Desk::with(from_ref(&channel)).await;
    desk.server.pause("a", None).await.unwrap();
    desk.ended(3);
    channel.hears(&["raised failures/a"]).await;
}

#[actix_rt::test]
async fn missed_slots_gather_in_one_incident_until_a_slot_runs() {
    let channel = webhook([]);
    let desk = Desk::with(from_ref(&channel)).await;
    let now = desk.server.stand.env.clock.now();
    let accounted = |status, slots, ran| {
        Alarm::Fact(Fact::Accounted(Accounted {
            bot: name("a"),
            status,
            reason: None,
            slots,
            range: Some((now - TimeDelta::seconds(slots as i64), now)),
            ran,
        }))
    };
    desk.tell(accounted(Status::Missed, 3, false));
    channel.hears(&["raised missed/a"]).await;
    desk.tell(accounted(Status::Missed, 5, false));
    eventually("the misses are one incident", || async {
        let open = desk.found().await.open;
        (open.len() == 1 && open[0].count == 8).then_some(())
    })
    .await;
    desk.tell(accounted(Status::Failed, 1, true));
    channel
        .hears(&["raised missed/a", "recovered missed/a"])
        .await;
    let last = channel.asked().pop().unwrap();
    assert!(
        last.detail.contains("8 slots were missed"),
        "{}",
        last.detail
    );
}

#[actix_rt::test]
async fn what_is_not_taken_is_tried_again_with_the_same_id_and_what_is_refused_is_not() {
    let later = Meet::Later(None);
    let (first, second) = (webhook([later]), Scripted::new("pagerduty", [Meet::Never]));
    let desk = Desk::with(&[first.clone(), second.clone()]).await;
    desk.ended(3);
    first
        .hears(&["raised failures/a", "raised failures/a"])
        .await;
    desk.reads(&[("sent", 2), ("failed", 1)]).await;
    let asked = first.asked();
    assert_eq!(asked[0], asked[1]);
    assert!(!asked[0].id.is_empty() && asked[0].id != second.asked()[0].id);
    let metrics = desk.server.stand.env.metrics.render(&Default::default());
    for line in [
        "alerts_total{channel=\"webhook\",outcome=\"retried\"} 1",
        "alerts_total{channel=\"webhook\",outcome=\"sent\"} 1",
        "alerts_total{channel=\"pagerduty\",outcome=\"failed\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
}

#[actix_rt::test]
async fn a_channel_that_hangs_or_panics_keeps_no_other_waiting() {
    let hanging = Scripted::new("discord", [Meet::Hang]);
    let panicking = Scripted::new("pagerduty", [Meet::Panic]);
    let good = webhook([]);
    let desk = Desk::with(&[hanging.clone(), panicking.clone(), good.clone()]).await;
    desk.ended(3);
    good.hears(&["raised failures/a"]).await;
    desk.ended(0);
    good.hears(&["raised failures/a", "recovered failures/a"])
        .await;
    panicking
        .hears(&[
            "raised failures/a",
            "raised failures/a",
            "recovered failures/a",
        ])
        .await;
    assert_eq!(hanging.heard(), ["raised failures/a"]);
    let tree = desk.server.ask(Inspect).await.children;
    let alert = tree.iter().find(|one| one.child == Child::Alert).unwrap();
    assert_eq!((alert.state, alert.restarts), (ChildState::Running, 0));
}

#[actix_rt::test]
async fn an_outage_of_the_database_loses_nothing_and_tells_nobody_twice() {
    let channel = webhook([]);
    let desk = Desk::with(from_ref(&channel)).await;
    desk.server.line().away(true);
    for in_a_row in 1..=4 {
        desk.ended(in_a_row);
    }
    desk.tell(Alarm::Breaker {
        dependency: "discord".into(),
        open: true,
    });
    desk.ended(0);
    desk.ended(3);
    assert_eq!(channel.heard(), Vec::<String>::new());
    desk.server.line().away(false);
    eventually("everything is told", || async {
        let mut heard = channel.heard();
        heard.sort();
        let all = [
            "raised breaker_open/discord",
            "raised failures/a",
            "raised failures/a",
            "recovered failures/a",
        ];
        (heard == all).then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn a_core_actor_that_is_given_up_is_told_of_without_the_database_and_not_again_with_it() {
    let channel = webhook([]);
    let desk = Desk::with(from_ref(&channel)).await;
    desk.server.line().away(true);
    desk.tell(Alarm::GivenUp {
        child: Child::Scheduler,
        reason: "panic: no".into(),
    });
    channel.hears(&["raised given_up/scheduler"]).await;
    desk.server.line().away(false);
    desk.reads(&[("sent", 0)]).await;
    assert_eq!(channel.heard().len(), 1);
    assert_eq!(desk.open().await, ["given_up/scheduler"]);
}

#[actix_rt::test]
async fn what_a_dead_process_left_is_told_by_the_next_and_nothing_twice() {
    let later = || Meet::Later(Some(Duration::from_secs(3600)));
    let channel = webhook([Meet::Take, later(), later()]);
    let desk = Desk::with(from_ref(&channel)).await;
    desk.ended(3);
    desk.reads(&[("sent", 1)]).await;
    desk.tell(ended("b", 3));
    desk.reads(&[("sent", 1), ("pending", 1)]).await;
    let folder = desk.folder;
    desk.server.stop(Duration::from_secs(1)).await;

    let again = webhook([]);
    let channels = [again.clone()];
    let setting = setting(
        vec![bot("a", "succeed"), bot("b", "succeed")],
        rules(&channels),
        &channels,
    );
    let server = Server::start(folder.path(), setting).await;
    let env = &server.stand.env;
    // The same trouble goes on.
    env.alarms.tell(env.clock.now(), ended("a", 4));
    env.alarms.tell(env.clock.now(), ended("a", 0));
    again.hears(&["recovered failures/a"]).await;
}

#[actix_rt::test]
async fn the_end_of_the_process_waits_a_moment_for_channels_and_stores_the_rest() {
    let (slow, quick) = (webhook([Meet::Hang]), Scripted::new("discord", []));
    let desk = Desk::with(&[slow.clone(), quick.clone()]).await;
    let env = Arc::clone(&desk.server.stand.env);
    desk.ended(3);
    let begun = tokio::time::Instant::now();
    tell_what_is_due(&env, Duration::from_secs(2)).await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    let mut statuses = desk.statuses().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [("pending", 0), ("sent", 1)]);
}

#[actix_rt::test]
async fn a_flood_is_summed_up_in_one_notice() {
    let channel = webhook([]);
    let mut rules = rules(from_ref(&channel));
    rules.channels[0].max_per_hour = 3;
    let bots: Vec<String> = (0..20).map(|n| format!("bot_{n:02}")).collect();
    let names: Vec<&str> = bots.iter().map(String::as_str).collect();
    let desk = Desk::of(&names, rules, from_ref(&channel)).await;
    desk.server.line().away(true);
    for bot in &bots {
        desk.tell(ended(bot, 3));
    }
    desk.server.line().away(false);
    channel
        .hears(&[
            "raised failures/bot_00",
            "raised failures/bot_01",
            "raised digest/webhook",
        ])
        .await;
    let digest = channel.asked().pop().unwrap();
    assert_eq!(digest.title, "18 more alerts");
    assert!(
        digest.detail.contains("bot_19: 3 runs"),
        "{}",
        digest.detail
    );
    // The ends of what was told are told; of the others they wait for the hour to free up.
    desk.tell(ended("bot_00", 0));
    desk.tell(ended("bot_19", 0));
    eventually("the end is told", || async {
        let last = channel.heard().pop();
        (last.as_deref() == Some("recovered failures/bot_00")).then_some(())
    })
    .await;
    eventually("each is accounted for", || async {
        let statuses = desk.statuses().await;
        let of = |word| {
            statuses
                .iter()
                .filter(|(status, _)| *status == word)
                .count()
        };
        ((of("sent"), of("dropped"), of("pending")) == (4, 18, 1)).then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn a_bot_that_silently_stops_is_told_of() {
    let channel = webhook([]);
    let desk = Desk::with(from_ref(&channel)).await;
    let env = &desk.server.stand.env;
    env.vitals
        .enter(actor_server::actors::vitals::Phase::Running);
    env.vitals.set_database(true);
    eventually("the bots are known", || async {
        env.vitals.loaded().then_some(())
    })
    .await;
    let long_ago = env.clock.now() - TimeDelta::seconds(60);
    env.board.claimed(&name("a"), long_ago);
    channel.hears(&["raised stalled/a"]).await;
    env.board.unclaimed(&name("a"), long_ago);
    channel
        .hears(&["raised stalled/a", "recovered stalled/a"])
        .await;
}

#[actix_rt::test]
async fn what_memory_knows_and_nobody_told_of_is_found() {
    let channel = webhook([]);
    let desk = Desk::with(from_ref(&channel)).await;
    let env = &desk.server.stand.env;
    // The alarm of this hold is lost.
    env.alarms.switch(false);
    let hold = Hold::by_server(HoldKind::Refused, "403");
    let (bot, replace) = (name("a"), false);
    let write = actor_server::store::Write::SetHold {
        bot,
        hold: hold.clone(),
        replace,
    };
    env.queue.ask(write, true).await.unwrap();
    env.alarms.switch(true);
    env.board.held(&name("a"), &hold);
    channel.hears(&["raised held/a"]).await;
    // And so is that of its end.
    env.alarms.switch(false);
    desk.server.resume("a").await.unwrap();
    env.alarms.switch(true);
    channel.hears(&["raised held/a", "recovered held/a"]).await;
}
