//! Deaths of the actor that tells people what is wrong: it comes back with all that waits, and nobody needs it to run.

use std::sync::{Arc, Mutex};

use actor_server::{
    actors::{
        alarms::Alarm,
        alerting::{Alerting, Outward},
        messages::{ChildState, Inspect},
        supervision::Child,
    },
    domain::{
        alert::{AlertRules, ChannelRules, Notice},
        outcome::Status,
        restart::RestartPolicy,
    },
    platforms::ops::{NotDelivered, OpsChannel},
};
use async_trait::async_trait;
use chrono::TimeDelta;
use fail::FailScenario;
use tempfile::tempdir;

use super::{
    bots::every,
    server::Server,
    stand::{Setting, becomes, eventually},
};

/// Takes everything, and remembers which incidents it was told of.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl OpsChannel for Ear {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), NotDelivered> {
        self.0.lock().unwrap().push(notice.incident.clone());
        Ok(())
    }
}

fn setting(ear: &Ear) -> Setting {
    let mut setting = Setting::of([every(1, "bot", "succeed")]);
    setting.alerting = Alerting::new(Outward {
        rules: AlertRules {
            channels: vec![ChannelRules::of_everything("webhook", true)],
            stalled_after: TimeDelta::seconds(2),
            ..AlertRules::default()
        },
        channels: vec![Arc::new(ear.clone())],
        pings: None,
    });
    setting
}

fn tell(server: &Server, dependency: &str) {
    let (env, dependency) = (&server.stand.env, dependency.to_owned());
    let open = true;
    env.alarms
        .tell(env.clock.now(), Alarm::Breaker { dependency, open });
}

#[actix_rt::test]
async fn it_may_die_anywhere_and_everybody_is_told_all_the_same() {
    let scenario = FailScenario::setup();
    for point in [
        "alert.started",
        "alert.timer",
        "alert.handle",
        "alert.future",
    ] {
        let (folder, ear) = (tempdir().unwrap(), Ear::default());
        fail::cfg(point, "1*panic(as arranged)").unwrap();
        let server = Server::start(folder.path(), setting(&ear)).await;
        tell(&server, "before");
        let died = || async {
            let mut tree = server.ask(Inspect).await.children.into_iter();
            tree.find(|one| one.child == Child::Alert && one.restarts == 1)
        };
        eventually(&format!("death at {point}"), died).await;
        server.child_is(&Child::Alert, ChildState::Running).await;
        tell(&server, "after");
        let all = vec![
            "breaker_open/before".to_owned(),
            "breaker_open/after".to_owned(),
        ];
        becomes(all, || ear.0.lock().unwrap().clone()).await;
        fail::remove(point);
    }
    scenario.teardown();
}

#[actix_rt::test]
async fn given_up_it_is_missed_by_nobody_who_runs() {
    let scenario = FailScenario::setup();
    let (folder, ear) = (tempdir().unwrap(), Ear::default());
    fail::cfg("alert.started", "panic(as arranged)").unwrap();
    let mut setting = setting(&ear);
    setting.rules.supervision = RestartPolicy {
        max_restarts: 2,
        ..setting.rules.supervision
    };
    let server = Server::start(folder.path(), setting).await;
    server.child_is(&Child::Alert, ChildState::GivenUp).await;
    let runs = || async {
        let rows = server.ledger("bot").await;
        let ran = rows.iter().filter(|row| row.status == Status::Succeeded);
        ran.count()
    };
    let before = runs().await;
    eventually("slots run on", || async {
        (runs().await > before + 1).then_some(())
    })
    .await;
    assert_eq!(*server.given_up.borrow(), None);
    scenario.teardown();
}
