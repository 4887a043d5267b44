//! Reports of starts and ends of runs to dead man's switches outside: whoever hears nothing there raises the alarm, also
//! when this process is no more.
//!
//! Nothing of it is stored, because a late report would lie. A newer state of a bot takes the place of one that is not on
//! its way yet, so that no more waits than there are bots.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tokio::time::Instant as Monotonic;
use url::Url;
use uuid::{Builder, Uuid};

use super::{ping_desk::Report, sending::word};
use crate::{
    actors::{alarms::Alarm, env::Env},
    domain::{bot::BotName, outcome::Status, run::ExecutionId},
    platforms::ops::{
        NotDelivered,
        pings::{PingTarget, Pings, Signal},
    },
};

/// The waits before a report is tried again.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// The longest that one attempt may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Sends one report.
#[async_trait]
pub trait Pinger: Send + Sync + 'static {
    /// Sends it. `run` is the same for the start and the end of a run.
    ///
    /// # Errors
    /// It was not taken.
    async fn ping(
        &self,
        target: &PingTarget,
        signal: Signal,
        run: Uuid,
        body: &str,
    ) -> Result<(), NotDelivered>;
}

#[async_trait]
impl Pinger for Pings {
    async fn ping(
        &self,
        target: &PingTarget,
        signal: Signal,
        run: Uuid,
        body: &str,
    ) -> Result<(), NotDelivered> {
        Self::ping(self, target, signal, run, body).await
    }
}

/// Where reports go.
#[derive(Clone)]
pub struct PingPlan {
    /// Sends them.
    pub pinger: Arc<dyn Pinger>,
    /// What the names of bots are appended to that have no address of their own; `None` if only those are reported that
    /// have one.
    pub base: Option<PingTarget>,
}

/// Hears of a run's start or end.
pub(super) fn hear(env: &Env, alarm: &Alarm) {
    if !env.alerting.has_pings() {
        return;
    }
    let desk = env.alerting.ping_desk();
    match alarm {
        Alarm::RunStarted { bot, execution, .. } if target(env, bot).is_some() => {
            desk.began(*execution);
            desk.put(bot.clone(), report(Signal::Start, *execution, None));
        }
        Alarm::RunEnded {
            bot,
            execution,
            status,
            error,
            ..
        } if desk.ends(*execution) => {
            if let Some(signal) = signal(*status) {
                desk.put(bot.clone(), report(signal, *execution, error.as_deref()));
            }
        }
        _ => {}
    }
}

fn report(signal: Signal, execution: ExecutionId, error: Option<&str>) -> Report {
    let body = match (signal, error) {
        (Signal::Start | Signal::Success, _) => format!("run {execution}"),
        (_, Some(error)) => format!("run {execution}: {error}"),
        (_, None) => format!("run {execution} has not succeeded"),
    };
    Report {
        signal,
        execution,
        body,
    }
}

/// A gate that said no is no failure; a run that was cancelled is neither.
const fn signal(status: Status) -> Option<Signal> {
    match status {
        Status::Succeeded | Status::Skipped => Some(Signal::Success),
        Status::Failed | Status::TimedOut | Status::Panicked | Status::Abandoned => {
            Some(Signal::Fail)
        }
        Status::Cancelled => Some(Signal::Log),
        Status::Running | Status::Missed => None,
    }
}

/// Where a bot's reports go: its own address, else the one below the common address that its name makes.
fn target(env: &Env, bot: &BotName) -> Option<PingTarget> {
    let plan = env.alerting.pings()?;
    let own = env.bot(bot)?.policy.alerts.ping_url.clone();
    if let Some(url) = own {
        let url = url.expose().into();
        return Some(PingTarget { url, create: false });
    }
    let base = plan.base.as_ref()?;
    let mut url = Url::parse(base.url.expose_secret()).ok()?;
    let path = url.path().trim_end_matches('/').to_owned();
    // A slug has no capitals.
    let slug = bot.as_str().to_ascii_lowercase();
    url.set_path(&format!("{path}/{slug}"));
    Some(PingTarget {
        url: String::from(url).into(),
        create: base.create,
    })
}

/// Sends whatever waits.
pub(super) async fn keep_pinging(env: Arc<Env>) {
    loop {
        let changed = env.alerting.ping_desk().changed.notified();
        while let Some((bot, report)) = env.alerting.ping_desk().take() {
            let inner = Arc::clone(&env);
            env.runtime.spawn(async move {
                let _way = Way {
                    env: &inner,
                    bot: &bot,
                };
                send(&inner, &bot, report).await;
            });
        }
        changed.await;
    }
}

/// Waits until nothing is left to report.
pub(super) async fn reported(env: &Env) {
    while !env.alerting.ping_desk().is_idle() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A report's way; it ends however the report does.
struct Way<'a> {
    env: &'a Env,
    bot: &'a BotName,
}

impl Drop for Way<'_> {
    fn drop(&mut self) {
        self.env.alerting.ping_desk().done(self.bot);
    }
}

async fn send(env: &Env, bot: &BotName, report: Report) {
    let Some((plan, target)) = env.alerting.pings().zip(target(env, bot)) else {
        return;
    };
    let run = run_id(env.store.database_id(), report.execution);
    for wait in AGAIN.into_iter().map(Some).chain([None]) {
        let sent = one(env, plan, &target, report.signal, run, &report.body).await;
        let error = match (sent, wait) {
            (Ok(()), _) => return count(env, "sent"),
            (Err(error), Some(wait)) if matches!(error, NotDelivered::Later { .. }) => {
                tokio::time::sleep(wait).await;
                if !env.alerting.ping_desk().has_newer(bot) {
                    continue;
                }
                error
            }
            (Err(error), _) => error,
        };
        tracing::warn!(actor = %bot, %error, "the start or end of a run could not be reported to its dead man's switch");
        return count(env, "failed");
    }
}

fn count(env: &Env, outcome: &str) {
    env.metrics.alerts.pings.with_label_values(&[outcome]).inc();
}

async fn one(
    env: &Env,
    plan: &PingPlan,
    target: &PingTarget,
    signal: Signal,
    run: Uuid,
    body: &str,
) -> Result<(), NotDelivered> {
    let began = Monotonic::now();
    let ping = plan.pinger.ping(target, signal, run, body);
    let ended = tokio::time::timeout(PATIENCE, ping).await;
    let (outcome, ended) = match ended {
        Ok(Ok(())) => ("ok", Ok(())),
        Ok(Err(error)) => (word(&error), Err(error)),
        Err(_) => {
            let (reason, after) = ("no answer in time".to_owned(), None);
            ("timeout", Err(NotDelivered::Later { reason, after }))
        }
    };
    let downstreams = &env.metrics.downstreams;
    let took = began.elapsed().as_secs_f64();
    let requests = &downstreams.requests;
    requests
        .with_label_values(&["healthchecks", outcome])
        .observe(took);
    let answers = i64::from(!matches!(ended, Err(NotDelivered::Later { .. })));
    let connected = &downstreams.connected;
    connected.with_label_values(&["healthchecks"]).set(answers);
    ended
}

/// An id that is the same for start and end of a run, and another one for a run of another database.
fn run_id(database: &str, execution: ExecutionId) -> Uuid {
    let digest = Sha256::digest(format!("{database}/{execution}"));
    let mut bytes = [0; 16];
    for (byte, drawn) in bytes.iter_mut().zip(digest) {
        *byte = drawn;
    }
    Builder::from_random_bytes(bytes).into_uuid()
}
