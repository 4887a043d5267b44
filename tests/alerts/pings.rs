//! Reports of starts and ends of runs to dead man's switches.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use actor_server::{
    actors::{
        alarms::Alarm,
        alerting::{Alerting, Outward, PingPlan, Pinger},
    },
    domain::{
        alert::{AlertRules, PingUrl},
        bot::Bot,
        outcome::Status,
        run::ExecutionId,
    },
    platforms::ops::{
        NotDelivered,
        pings::{PingTarget, Signal},
    },
};
use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    bots::{bot, name},
    server::Server,
    stand::{Setting, eventually},
};

type Ping = (String, Signal, Uuid, String);

/// Takes pings down, fails as often as it is told, and lets none through while it is shut.
#[derive(Clone)]
struct Switch {
    taken: Arc<Mutex<Vec<Ping>>>,
    failures: Arc<Mutex<VecDeque<NotDelivered>>>,
    gate: Arc<Semaphore>,
}

impl Switch {
    fn new(open: bool) -> Self {
        let permits = if open { Semaphore::MAX_PERMITS } else { 0 };
        Self {
            taken: Arc::default(),
            failures: Arc::default(),
            gate: Arc::new(Semaphore::new(permits)),
        }
    }

    /// What it was told, such as `Start /a`.
    fn told(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let words = |(path, signal, ..): &Ping| format!("{signal:?} {path}");
        taken.iter().map(words).collect()
    }

    async fn is_told(&self, all: &[&str]) {
        let what = format!("the pings are {all:?}");
        eventually(&what, || async { (self.told() == all).then_some(()) }).await;
    }
}

#[async_trait]
impl Pinger for Switch {
    async fn ping(
        &self,
        target: &PingTarget,
        signal: Signal,
        run: Uuid,
        body: &str,
    ) -> Result<(), NotDelivered> {
        let url = target.url.expose_secret();
        let path = url.strip_prefix("https://hc.example").unwrap().to_owned();
        let ping = (path, signal, run, body.to_owned());
        self.taken.lock().unwrap().push(ping);
        drop(self.gate.acquire().await.unwrap());
        let failure = self.failures.lock().unwrap().pop_front();
        failure.map_or(Ok(()), Err)
    }
}

async fn server(
    bots: Vec<Bot>,
    switch: &Switch,
    base: Option<&str>,
) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut setting = Setting::of(bots);
    setting.alerting = Alerting::new(Outward {
        rules: AlertRules::default(),
        channels: Vec::new(),
        pings: Some(PingPlan {
            pinger: Arc::new(switch.clone()),
            base: base.map(|url| PingTarget {
                url: url.into(),
                create: true,
            }),
        }),
    });
    let server = Server::start(folder.path(), setting).await;
    (server, folder)
}

#[actix_rt::test]
async fn start_and_end_of_a_run_are_reported_with_one_id() {
    let switch = Switch::new(true);
    let bots = vec![bot("good", "hang"), bot("bad", "fail")];
    let (server, _folder) = server(bots, &switch, Some("https://hc.example/key/")).await;
    server.trigger("bad").await.unwrap();
    switch.is_told(&["Start /key/bad", "Fail /key/bad"]).await;
    let run = server.trigger("good").await.unwrap();
    eventually("it has begun", || async {
        (switch.told().len() == 3).then_some(())
    })
    .await;
    server.cancel(run).await.unwrap();
    let all = [
        "Start /key/bad",
        "Fail /key/bad",
        "Start /key/good",
        "Log /key/good",
    ];
    switch.is_told(&all).await;
    let taken = switch.taken.lock().unwrap().clone();
    assert!(taken[0].2 == taken[1].2 && taken[2].2 == taken[3].2 && taken[0].2 != taken[2].2);
    assert!(taken[1].3.contains("no luck"), "{}", taken[1].3);
}

#[actix_rt::test]
async fn a_bot_has_its_own_address_or_none_and_dry_runs_are_reported_to_nobody() {
    let switch = Switch::new(true);
    let (mut own, silent) = (bot("own", "succeed"), bot("silent", "succeed"));
    own.policy.alerts.ping_url = Some(PingUrl::new("https://hc.example/1234"));
    let (server, _folder) = server(vec![own, silent], &switch, None).await;
    server.trigger("silent").await.unwrap();
    let (bot, input) = (name("own"), json!({ "dry_run": true }));
    let dry = actor_server::actors::messages::TriggerRun { bot, input };
    server.ask(dry).await.unwrap();
    eventually("both have ended", || async {
        let (a, b) = (server.ledger("own").await, server.ledger("silent").await);
        let ended = |rows: Vec<actor_server::store::LedgerRow>| {
            rows.iter().all(|row| row.status != Status::Running)
        };
        (ended(a) && ended(b)).then_some(())
    })
    .await;
    eventually("the last one is let go", || async {
        server.trigger("own").await.ok()
    })
    .await;
    switch.is_told(&["Start /1234", "Success /1234"]).await;
}

#[actix_rt::test]
async fn a_newer_state_takes_the_place_of_one_that_is_not_on_its_way() {
    let switch = Switch::new(false);
    let (server, _folder) = server(
        vec![bot("a", "succeed"), bot("b", "succeed")],
        &switch,
        Some("https://hc.example"),
    )
    .await;
    let env = &server.stand.env;
    let began = |n| Alarm::RunStarted {
        bot: name("a"),
        execution: ExecutionId(n),
        slot: None,
    };
    let ended = |n, status| Alarm::RunEnded {
        bot: name("a"),
        execution: ExecutionId(n),
        status,
        error: None,
        consecutive_failures: Some(0),
    };
    env.alarms.tell(env.clock.now(), began(1));
    switch.is_told(&["Start /a"]).await;
    for n in 1..1000 {
        env.alarms
            .tell(env.clock.now(), ended(n, Status::Succeeded));
        env.alarms.tell(env.clock.now(), began(n + 1));
    }
    env.alarms
        .tell(env.clock.now(), ended(1000, Status::TimedOut));
    // All of it is heard before the first one gets through.
    let last = Alarm::RunStarted {
        bot: name("b"),
        execution: ExecutionId(5000),
        slot: None,
    };
    env.alarms.tell(env.clock.now(), last);
    switch.is_told(&["Start /a", "Start /b"]).await;
    switch.gate.add_permits(1000);
    eventually("the last word is told", || async {
        (switch.told().last().map(String::as_str) == Some("Fail /a")).then_some(())
    })
    .await;
    assert_eq!(switch.told(), ["Start /a", "Start /b", "Fail /a"]);
}

#[actix_rt::test]
async fn a_report_that_is_not_taken_is_tried_again_and_one_that_is_refused_is_not() {
    let switch = Switch::new(true);
    let later = NotDelivered::Later {
        reason: "not now".into(),
        after: None,
    };
    let never = NotDelivered::Never("no such check".into());
    switch.failures.lock().unwrap().extend([later, never]);
    let (server, _folder) =
        server(vec![bot("a", "hang")], &switch, Some("https://hc.example")).await;
    server.trigger("a").await.unwrap();
    switch.is_told(&["Start /a", "Start /a"]).await;
    let metrics = &server.stand.env.metrics;
    eventually("it is counted", || async {
        metrics
            .render(&Default::default())
            .contains("botticelli_pings_total{outcome=\"failed\"} 1")
            .then_some(())
    })
    .await;
}
