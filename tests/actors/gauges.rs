//! What a scrape shows of a server at work: each gauge is what the store, the ledger or the operator's view says.

use std::{sync::Arc, time::Duration};

use actor_server::{
    actors::{env::DISCORD, gauges},
    domain::{
        bot::Target,
        hold::HoldKind,
        outcome::{AttemptOutcome, Status},
        run::ExecutionId,
    },
    platforms::{
        ContentPoster, PostFailure, Receipt,
        stub::{Answer, StubPlatform},
    },
    store::{Finish, Write, Written},
};
use serde_json::json;
use tempfile::tempdir;

use super::{
    bots::{bot, every, formatting, name, set_template, with},
    reload,
    scraped::{page, sum, value},
    server::Server,
    stand::{Setting, becomes},
};

#[actix_rt::test]
async fn the_states_of_bots_are_those_that_are_stored() {
    let folder = tempdir().unwrap();
    let bots = [
        bot("good", "succeed"),
        bot("bad", "fail"),
        bot("held", "succeed"),
    ];
    let server = Server::start(folder.path(), Setting::of(bots)).await;
    assert_eq!(
        value(&server, "last_success_timestamp{actor=\"good\"}"),
        None
    );
    server.trigger("good").await.unwrap();
    server.runs("good", 1, Status::Succeeded).await;
    for runs in 1..=2 {
        server.trigger("bad").await.unwrap();
        server.runs("bad", runs, Status::Failed).await;
    }
    server.pause("held", None).await.unwrap();
    becomes(Some(2.0), || {
        value(&server, "consecutive_failures{actor=\"bad\"}")
    })
    .await;
    becomes(Some(1.0), || value(&server, "actor_paused{actor=\"held\"}")).await;
    let ended = server.ledger("good").await[0].completed_at.unwrap();
    for (series, right) in [
        (
            "last_success_timestamp{actor=\"good\"}",
            Some(ended.timestamp() as f64),
        ),
        ("last_success_timestamp{actor=\"bad\"}", None),
        ("consecutive_failures{actor=\"good\"}", Some(0.0)),
        ("actor_paused{actor=\"good\"}", Some(0.0)),
        ("next_run_timestamp{actor=\"good\"}", Some(4e9)),
        ("next_run_timestamp{actor=\"held\"}", Some(4e9)),
        ("tasks_scheduled", Some(2.0)),
        ("tasks_paused", Some(1.0)),
        ("replicas", Some(1.0)),
        ("active_actors", Some(0.0)),
        ("metrics_dropped_labels", Some(0.0)),
        (
            "actor_dependency_health_status{actor=\"good\",dependency=\"database\"}",
            Some(1.0),
        ),
    ] {
        becomes(right, || value(&server, series)).await;
    }
    let text = page(&server);
    let first = text
        .lines()
        .find(|line| line.starts_with("botticelli_actor_paused{"));
    assert_eq!(
        first,
        Some("botticelli_actor_paused{actor=\"held\"} 1"),
        "the unwell first"
    );
}

#[actix_rt::test]
async fn runs_at_work_are_active_and_those_without_a_place_wait() {
    let folder = tempdir().unwrap();
    let mut setting = Setting::of([bot("a", "hang"), bot("b", "hang"), every(1, "c", "succeed")]);
    setting.rules.max_parallel_tasks = 1;
    let server = Server::start(folder.path(), setting).await;
    let first = server.trigger("a").await.unwrap();
    becomes(Some(1.0), || value(&server, "active_actors")).await;
    server.trigger("b").await.unwrap();
    // One is by hand, the other is the slot of `c`.
    becomes(Some(2.0), || value(&server, "runs_waiting")).await;
    server.cancel(first).await.unwrap();
    becomes(Some(1.0), || value(&server, "active_actors")).await;
}

#[actix_rt::test]
async fn lateness_is_observed_once_for_each_slot_that_ran_and_for_nothing_else() {
    let folder = tempdir().unwrap();
    let bots = [every(1, "slots", "succeed"), bot("by_hand", "succeed")];
    let server = Server::start(folder.path(), Setting::of(bots)).await;
    server.trigger("by_hand").await.unwrap();
    server.runs("by_hand", 1, Status::Succeeded).await;
    server.runs("slots", 2, Status::Succeeded).await;
    server.pause("slots", None).await.unwrap();
    becomes(Some(0.0), || value(&server, "active_actors")).await;
    let rows = server.ledger("slots").await;
    let ran = rows.iter().filter(|row| row.started_at.is_some()).count();
    assert_eq!(
        value(&server, "schedule_lateness_seconds_count"),
        Some(ran as f64)
    );
}

#[actix_rt::test]
async fn an_outage_of_the_database_is_seen_and_its_end_too() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path(), Setting::of([bot("bot", "hang")])).await;
    let env = &server.stand.env;
    let reading = actix_rt::spawn(gauges::keep_reading(
        Arc::clone(env),
        Duration::from_millis(20),
    ));
    let status = "connection_status{dependency=\"database\"}";
    let health = "actor_dependency_health_status{actor=\"bot\",dependency=\"database\"}";
    becomes(Some(1.0), || value(&server, status)).await;
    let stored = env.store.schema_version().await.unwrap() as f64;
    becomes(Some(stored), || value(&server, "schema_version")).await;
    let run = server.trigger("bot").await.unwrap();
    server.run("bot", run, Status::Running).await;
    let beat = value(&server, "heartbeat_timestamp").unwrap();
    assert!((beat - env.clock.now().timestamp() as f64).abs() < 20.0);
    server.line().away(true);
    server.cancel(run).await.unwrap();
    becomes(Some(0.0), || value(&server, status)).await;
    becomes(Some(0.0), || value(&server, health)).await;
    becomes(true, || {
        value(&server, "persistence_queue_size") >= Some(1.0)
    })
    .await;
    let again = "reconnect_attempts_total{dependency=\"database\"}";
    becomes(true, || value(&server, again) >= Some(2.0)).await;
    assert_eq!(
        value(&server, "schema_version"),
        Some(stored),
        "the last value stays"
    );
    server.line().away(false);
    becomes(Some(1.0), || value(&server, status)).await;
    becomes(Some(0.0), || value(&server, "persistence_queue_size")).await;
    for outcome in ["ok", "error"] {
        let labels = format!("dependency=\"database\",outcome=\"{outcome}\"");
        let family = "dependency_request_duration_seconds_count";
        assert!(sum(&server, family, &labels) >= 1.0, "{outcome}");
    }
    reading.abort();
}

fn end_of(execution: i64, status: Status) -> Write {
    let now = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    Write::Finish(Box::new(Finish {
        execution: ExecutionId(execution),
        bot: name("bot"),
        started_at: now,
        completed_at: now,
        attempt: 1,
        outcome: AttemptOutcome::broken(status, "late"),
        metadata: json!({}),
        max_consecutive_failures: 5,
    }))
}

#[actix_rt::test]
async fn results_that_are_refused_or_lost_are_counted() {
    let folder = tempdir().unwrap();
    let setting = Setting {
        results_in_memory: 2,
        ..Setting::of([bot("bot", "succeed")])
    };
    let server = Server::start(folder.path(), setting).await;
    let queue = &server.stand.env.queue;
    for (status, fenced) in [(Status::Abandoned, 0.0), (Status::Failed, 1.0)] {
        let answer = queue.ask(end_of(4711, status), true).await;
        assert!(matches!(answer, Ok(Written::Lost)), "{answer:?}");
        let counted = value(&server, "results_fenced_total");
        assert_eq!(counted, Some(fenced), "{status:?}");
    }
    server.line().away(true);
    becomes(true, || {
        queue.is_away() || {
            queue.keep(end_of(1, Status::Failed));
            false
        }
    })
    .await;
    (0..20).for_each(|n| queue.keep(end_of(n, Status::Failed)));
    let lost = queue.refused() as f64;
    assert!(lost >= 15.0, "{lost}");
    for _ in 0..3 {
        assert_eq!(value(&server, "results_lost_total"), Some(lost));
    }
    server.line().away(false);
}

/// The stub in Discord's place.
struct AsDiscord(StubPlatform);

#[async_trait::async_trait]
impl ContentPoster for AsDiscord {
    fn platform(&self) -> &'static str {
        DISCORD
    }

    async fn post(&self, post: &actor_server::domain::post::Post) -> Result<Receipt, PostFailure> {
        self.0.post(post).await
    }
}

#[actix_rt::test]
async fn every_answer_of_a_platform_and_its_breaker_are_shown() {
    let folder = tempdir().unwrap();
    let mut poster = with(formatting("poster"), |policy| {
        policy.retry.max_attempts = 100
    });
    set_template(&mut poster, "hello");
    poster.target = Target::Channel(7);
    let server = Server::start(folder.path(), Setting::of([poster])).await;
    let health = "actor_dependency_health_status{actor=\"poster\",dependency=\"discord\"}";
    assert_eq!(value(&server, health), Some(0.0), "it is not configured");
    let stub = StubPlatform::new().answering([
        Answer::Fail(PostFailure::RateLimited(Duration::from_millis(1))),
        Answer::Fail(PostFailure::TimedOut("late".into())),
        Answer::DeliverAndFail(PostFailure::Transient("cut".into())),
        Answer::Deliver,
        Answer::Fail(PostFailure::Rejected("no".into())),
        Answer::Fail(PostFailure::Unauthorized("who?".into())),
    ]);
    server
        .stand
        .env
        .platforms
        .set(DISCORD, Some(Arc::new(AsDiscord(stub))));
    becomes(Some(1.0), || value(&server, health)).await;
    for channel in ["discord", "discord:7"] {
        let circuit = format!("circuit_state{{dependency=\"{channel}\"}}");
        assert_eq!(value(&server, &circuit), Some(0.0));
    }
    for (runs, status) in [
        (1, Status::Succeeded),
        (1, Status::Failed),
        (2, Status::Failed),
    ] {
        server.trigger("poster").await.unwrap();
        server.runs("poster", runs, status).await;
    }
    let family = "dependency_request_duration_seconds_count";
    for (outcome, count) in [
        ("ok", 1.0),
        ("rate_limited", 1.0),
        ("timeout", 1.0),
        ("error", 1.0),
        ("refused", 2.0),
    ] {
        let labels = format!("{{dependency=\"discord\",outcome=\"{outcome}\"}}");
        assert_eq!(
            value(&server, &format!("{family}{labels}")),
            Some(count),
            "{outcome}"
        );
    }
    assert_eq!(
        value(&server, "reconnect_attempts_total{dependency=\"discord\"}"),
        Some(2.0)
    );
    assert_eq!(
        value(&server, "circuit_state{dependency=\"discord\"}"),
        Some(2.0)
    );
    assert_eq!(
        value(&server, health),
        Some(0.0),
        "the token is not accepted"
    );
}

#[actix_rt::test]
async fn a_console_that_takes_no_posts_is_not_well_until_it_does() {
    let folder = tempdir().unwrap();
    let mut poster = with(formatting("poster"), |policy| policy.retry.max_attempts = 1);
    set_template(&mut poster, "hello");
    let mut setting = Setting::of([poster]);
    let closed = PostFailure::Transient("a closed pipe".into());
    let answers = [Answer::Fail(closed), Answer::Deliver];
    setting.platform = StubPlatform::new().answering(answers);
    let server = Server::start(folder.path(), setting).await;
    let health = "actor_dependency_health_status{actor=\"poster\",dependency=\"console\"}";
    assert_eq!(value(&server, health), Some(1.0), "nobody has tried");
    server.trigger("poster").await.unwrap();
    server.runs("poster", 1, Status::Failed).await;
    assert_eq!(value(&server, health), Some(0.0));
    server.trigger("poster").await.unwrap();
    server.runs("poster", 1, Status::Succeeded).await;
    assert_eq!(value(&server, health), Some(1.0));
}

#[actix_rt::test]
async fn a_removed_bot_leaves_no_series() {
    let mut poster = formatting("gone");
    poster.target = Target::Channel(7);
    let (_folder, files, server) = reload::server([bot("stays", "succeed"), poster.clone()]).await;
    assert!(page(&server).contains("actor=\"gone\"") && page(&server).contains("discord:7"));
    files.say([bot("stays", "succeed"), bot("new", "succeed")]);
    reload::reload(&server).await.unwrap();
    becomes(false, || page(&server).contains("\"gone\"")).await;
    assert!(!page(&server).contains("discord:7"));
    for bot in ["stays", "new"] {
        let runs = format!("actor_executions_total{{actor=\"{bot}\",status=\"success\"}}");
        assert_eq!(value(&server, &runs), Some(0.0));
        assert_eq!(
            value(&server, &format!("actor_paused{{actor=\"{bot}\"}}")),
            Some(0.0)
        );
    }
}

#[actix_rt::test]
async fn what_a_bot_does_is_counted_as_the_ledger_tells_it() {
    let folder = tempdir().unwrap();
    let bots = [every(1, "good", "succeed"), bot("bad", "fail")];
    let server = Server::start(folder.path(), Setting::of(bots)).await;
    for runs in 1..=5 {
        server.trigger("bad").await.unwrap();
        server.runs("bad", runs, Status::Failed).await;
    }
    server.runs("good", 2, Status::Succeeded).await;
    server.pause("good", None).await.unwrap();
    becomes(Some(0.0), || value(&server, "active_actors")).await;
    assert_eq!(
        server.state("bad").await.hold.map(|hold| hold.kind),
        Some(HoldKind::Failures)
    );
    let rows = server.ledger("good").await;
    let ran = rows
        .iter()
        .filter(|row| row.status == Status::Succeeded)
        .count() as f64;
    let slots: i64 = rows
        .iter()
        .filter(|row| row.status != Status::Running)
        .map(|row| row.slots)
        .sum();
    becomes(Some(ran), || {
        value(
            &server,
            "actor_executions_total{actor=\"good\",status=\"success\"}",
        )
    })
    .await;
    becomes(slots as f64, || sum(&server, "slots_total", "\"good\"")).await;
    assert_eq!(
        value(
            &server,
            "skills_executed_total{actor=\"good\",status=\"succeeded\"}"
        ),
        Some(ran)
    );
    assert_eq!(
        value(&server, "execution_duration_seconds_count{actor=\"good\"}"),
        Some(ran)
    );
    assert_eq!(
        value(
            &server,
            "actor_executions_total{actor=\"bad\",status=\"failure\"}"
        ),
        Some(5.0)
    );
    assert_eq!(
        value(&server, "circuit_breaker_trips_total{actor=\"bad\"}"),
        Some(1.0)
    );
    assert_eq!(
        sum(&server, "slots_total", "\"bad\""),
        0.0,
        "no slot asked for these"
    );
}
