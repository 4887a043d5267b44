//! A server with channels that answer as they are told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use actor_server::{
    actors::{
        alarms::Alarm,
        alerting::{Alerting, Outward},
        messages::{AlertsFound, FindAlerts},
    },
    domain::{
        alert::{AlertRules, ChannelRules, Notice},
        bot::Bot,
        outcome::Status,
        run::ExecutionId,
    },
    platforms::ops::{NotDelivered, OpsChannel},
};
use async_trait::async_trait;
use tempfile::TempDir;

use super::{
    bots::{bot, name},
    server::Server,
    stand::{Setting, eventually},
};

/// How a channel meets one notice.
#[derive(Clone)]
pub(crate) enum Meet {
    Take,
    Later(Option<Duration>),
    Never,
    Hang,
    Panic,
}

/// A channel that does as it is told, and then takes everything.
#[derive(Clone)]
pub(crate) struct Scripted {
    name: &'static str,
    script: Arc<Mutex<VecDeque<Meet>>>,
    asked: Arc<Mutex<Vec<Notice>>>,
}

impl Scripted {
    pub(crate) fn new(name: &'static str, script: impl IntoIterator<Item = Meet>) -> Self {
        let script = script.into_iter().collect();
        Self {
            name,
            script: Arc::new(Mutex::new(script)),
            asked: Arc::default(),
        }
    }

    /// Every notice that it was asked to take, such as `raised failures/a`.
    pub(crate) fn heard(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let words = |one: &Notice| format!("{} {}", one.stage.as_str(), one.incident);
        asked.iter().map(words).collect()
    }

    pub(crate) fn asked(&self) -> Vec<Notice> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until it has heard exactly this.
    pub(crate) async fn hears(&self, all: &[&str]) {
        let what = format!("{} hears {all:?}", self.name);
        eventually(&what, || async { (self.heard() == all).then_some(()) }).await;
    }
}

#[async_trait]
impl OpsChannel for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), NotDelivered> {
        self.asked.lock().unwrap().push(notice.clone());
        let next = self.script.lock().unwrap().pop_front();
        match next.unwrap_or(Meet::Take) {
            Meet::Take => Ok(()),
            Meet::Later(after) => Err(NotDelivered::Later {
                reason: "not now".into(),
                after,
            }),
            Meet::Never => Err(NotDelivered::Never("no such key".into())),
            Meet::Hang => std::future::pending().await,
            Meet::Panic => panic!("a channel lost its head"),
        }
    }
}

/// A server with these channels, and bots that have nothing to do.
pub(crate) struct Desk {
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
}

pub(crate) fn rules(channels: &[Scripted]) -> AlertRules {
    let rules = |channel: &Scripted| ChannelRules::of_everything(channel.name, true);
    AlertRules {
        channels: channels.iter().map(rules).collect(),
        stalled_after: chrono::TimeDelta::seconds(2),
        ..AlertRules::default()
    }
}

pub(crate) fn setting(bots: Vec<Bot>, rules: AlertRules, channels: &[Scripted]) -> Setting {
    let channels = channels.iter().cloned();
    let mut setting = Setting::of(bots);
    setting.alerting = Alerting::new(Outward {
        rules,
        channels: channels
            .map(|one| Arc::new(one) as Arc<dyn OpsChannel>)
            .collect(),
        pings: None,
    });
    setting
}

impl Desk {
    /// With the bots `a` and `b`.
    pub(crate) async fn with(channels: &[Scripted]) -> Self {
        Self::of(&["a", "b"], rules(channels), channels).await
    }

    pub(crate) async fn of(bots: &[&str], rules: AlertRules, channels: &[Scripted]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bots = bots.iter().map(|name| bot(name, "succeed")).collect();
        let server = Server::start(folder.path(), setting(bots, rules, channels)).await;
        Self { server, folder }
    }

    pub(crate) fn tell(&self, alarm: Alarm) {
        let env = &self.server.stand.env;
        env.alarms.tell(env.clock.now(), alarm);
    }

    /// A run of `a` has ended with so many failures in a row.
    pub(crate) fn ended(&self, in_a_row: u32) {
        self.tell(ended("a", in_a_row));
    }

    pub(crate) async fn found(&self) -> AlertsFound {
        self.server.ask(FindAlerts { limit: 100 }).await.unwrap()
    }

    /// The status and number of attempts of each delivery, the oldest first.
    pub(crate) async fn statuses(&self) -> Vec<(&'static str, u32)> {
        let mut all = self.found().await.deliveries;
        all.reverse();
        all.iter()
            .map(|one| (one.status.as_str(), one.attempts))
            .collect()
    }

    pub(crate) async fn reads(&self, statuses: &[(&str, u32)]) {
        let what = format!("the deliveries are {statuses:?}");
        eventually(&what, || async {
            (self.statuses().await == statuses).then_some(())
        })
        .await;
    }

    /// The keys of what is open.
    pub(crate) async fn open(&self) -> Vec<String> {
        let found = self.found().await.open;
        found.into_iter().map(|incident| incident.key).collect()
    }
}

pub(crate) fn ended(bot: &str, in_a_row: u32) -> Alarm {
    let failed = in_a_row > 0;
    Alarm::RunEnded {
        bot: name(bot),
        execution: ExecutionId(i64::from(in_a_row)),
        status: if failed {
            Status::Failed
        } else {
            Status::Succeeded
        },
        error: failed.then(|| "no luck".into()),
        consecutive_failures: Some(in_a_row),
    }
}
