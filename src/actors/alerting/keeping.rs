//! From signs to stored incidents, with the notices that follow from them.
//!
//! While the store is away signs wait, folded. A sign whose incident another process has changed meanwhile is judged anew
//! by what is stored.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    actors::env::Env,
    domain::{
        Instant,
        alert::{BotAlerts, CALM, End, Incident, News, Sign, Step, begins, ends},
        bot::BotName,
    },
    store::{AlertStore, IncidentChange, NewDelivery, StoreError},
};

/// The first wait for a store that is away, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Signs in one transaction.
const AT_ONCE: usize = 200;
/// What nobody is told of may wait for more of the same.
const GATHERING: Duration = Duration::from_millis(250);
/// How often signs are tried that make this code panic.
const PANICS_ALLOWED: u32 = 3;

/// Stores whatever is heard.
pub(super) async fn keep_storing(env: Arc<Env>) {
    let (mut wait, mut panics) = (WAITS.0, 0);
    loop {
        env.alerting.arrival().await;
        let inner = Arc::clone(&env);
        // A task of its own, so that an actor that dies never leaves a transaction open.
        match env.runtime.spawn(async move { keep(&inner).await }).await {
            Ok(Ok(())) => {
                (wait, panics) = (WAITS.0, 0);
                tokio::time::sleep(GATHERING).await;
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "incidents cannot be stored; trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(WAITS.1);
            }
            Err(error) => {
                panics += 1;
                tracing::error!(%error, "storing incidents broke off");
                if panics >= PANICS_ALLOWED {
                    give_up_signs(&env);
                    panics = 0;
                }
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// Signs that cannot be judged must not hold up those behind them.
fn give_up_signs(env: &Env) {
    let mut signs = env.alerting.signs();
    let all: Vec<u64> = signs.take(AT_ONCE).into_iter().map(|(n, _)| n).collect();
    signs.settle(&all);
    tracing::error!(
        lost = all.len(),
        "signs of trouble are given up: nobody is told of them"
    );
}

/// Stores all that waits.
///
/// # Errors
/// The store is away; what is not stored waits.
pub(super) async fn keep(env: &Env) -> Result<(), StoreError> {
    let _turn = env.alerting.storing().await;
    let Some(store) = env.store.alerts() else {
        return Ok(());
    };
    if !env.alerting.book().is_read {
        read(env, store).await?;
    }
    loop {
        let taken = Taken::from(env);
        if taken.signs.is_empty() {
            return Ok(());
        }
        taken.keep(store).await?;
    }
}

/// Reads what is open and what was over a moment ago.
///
/// # Errors
/// The store is away.
pub(super) async fn read(env: &Env, store: &dyn AlertStore) -> Result<(), StoreError> {
    let incidents = store.incidents(env.clock.now() - CALM).await?;
    env.alerting.book().read(incidents);
    Ok(())
}

/// Signs on their way; those that are not settled go back.
struct Taken<'a> {
    env: &'a Env,
    signs: Vec<(u64, Sign)>,
}

impl<'a> Taken<'a> {
    fn from(env: &'a Env) -> Self {
        let signs = env.alerting.signs().take(AT_ONCE);
        Self { env, signs }
    }

    async fn keep(mut self, store: &dyn AlertStore) -> Result<(), StoreError> {
        let signs = std::mem::take(&mut self.signs);
        let numbers: Vec<u64> = signs.iter().map(|(number, _)| *number).collect();
        let guard = PutBack {
            env: self.env,
            numbers,
        };
        let steps = signs.iter().map(|(n, sign)| (*n, judge(self.env, sign)));
        let (some, none): (Vec<_>, Vec<_>) = steps.partition(|(_, step)| step.is_some());
        let none: Vec<u64> = none.into_iter().map(|(number, _)| number).collect();
        self.env.alerting.signs().settle(&none);
        let (numbers, steps): (Vec<u64>, Vec<Step>) = some
            .into_iter()
            .filter_map(|(number, step)| Some((number, step?)))
            .unzip();
        let kept = store_steps(self.env, store, steps).await?;
        let kept = numbers.iter().zip(kept).filter(|(_, kept)| *kept);
        let kept: Vec<u64> = kept.map(|(number, _)| *number).collect();
        self.env.alerting.signs().settle(&kept);
        drop(guard);
        Ok(())
    }
}

/// Puts back what was not settled, whatever happened.
struct PutBack<'a> {
    env: &'a Env,
    numbers: Vec<u64>,
}

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        self.env.alerting.signs().put_back(&self.numbers);
    }
}

fn judge(env: &Env, sign: &Sign) -> Option<Step> {
    let alerts = alerts_of(env, sign.subject.bot());
    let (key, ground) = (sign.key(), env.alerting.ground(&alerts, sign.at));
    let book = env.alerting.book();
    let known = book.latest(&key);
    match &sign.news {
        News::Begins(cause) => begins(known, &sign.subject, cause, ground),
        News::Ends => ends(known?, End::Recovered, ground),
        News::Superseded(why) => ends(known?, End::Superseded(why), ground),
        News::Gone(why) => ends(known?, End::Gone(why), ground),
    }
}

/// `[actors.alerts]`.
pub(super) fn alerts_of(env: &Env, bot: Option<&BotName>) -> BotAlerts {
    let bot = bot.and_then(|bot| env.bot(bot));
    bot.map(|bot| bot.policy.alerts.clone()).unwrap_or_default()
}

/// Stores these steps, and what follows from them. Answers which were stored; of the others the store knows better.
///
/// # Errors
/// The store is away; nothing is stored.
pub(super) async fn store_steps(
    env: &Env,
    store: &dyn AlertStore,
    steps: Vec<Step>,
) -> Result<Vec<bool>, StoreError> {
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let changes: Vec<IncidentChange> = steps.into_iter().map(|step| change(env, step)).collect();
    let kept = store.keep_incidents(&changes, env.clock.now()).await?;
    if kept.contains(&None) {
        read(env, store).await?;
    }
    let mut answers = Vec::with_capacity(kept.len());
    for (change, kept) in changes.into_iter().zip(kept) {
        answers.push(kept.is_some());
        if let Some((id, revision)) = kept {
            stored(env, change, id, revision);
        }
    }
    show_open(env);
    Ok(answers)
}

/// Gives each notice its id, which all attempts to deliver it share; what was told without the store keeps the one it has.
fn change(env: &Env, step: Step) -> IncidentChange {
    let Step { incident, tell } = step;
    let told = match incident.id {
        0 => env.alerting.take_told(&incident.key),
        _ => Vec::new(),
    };
    let deliveries = tell.into_iter().map(|(channel, notice)| {
        let before = told.iter().find(|told| told.channel == channel);
        before
            .cloned()
            .unwrap_or_else(|| new_delivery(channel, notice))
    });
    IncidentChange {
        deliveries: deliveries.collect(),
        incident,
    }
}

/// A notice with an id of its own.
pub(super) fn new_delivery(
    channel: String,
    mut notice: crate::domain::alert::Notice,
) -> NewDelivery {
    notice.id = Uuid::new_v4().to_string();
    NewDelivery {
        channel,
        notice,
        is_sent: false,
    }
}

fn stored(env: &Env, change: IncidentChange, id: i64, revision: i64) {
    let incident = Incident {
        id,
        revision,
        ..change.incident
    };
    log(&incident);
    env.alerting.book().put(incident);
    for delivery in &change.deliveries {
        env.alerting.ring(&delivery.channel);
    }
}

/// How many incidents of each kind are known to be open.
pub(super) fn show_open(env: &Env) {
    let open = &env.metrics.alerts.open;
    for (kind, n) in env.alerting.book().count() {
        open.with_label_values(&[kind.as_str()]).set(n);
    }
}

/// Said once at each end.
fn log(incident: &Incident) {
    let (key, title) = (&incident.key, &incident.title);
    match (incident.revision, incident.recovered_at) {
        (1, _) => tracing::warn!(incident = key, title, "an incident has begun"),
        (_, Some(at)) => {
            let lasted_s = lasted(incident, at).num_seconds();
            tracing::info!(incident = key, lasted_s, "an incident is over");
        }
        _ => {}
    }
}

fn lasted(incident: &Incident, at: Instant) -> TimeDelta {
    at - incident.since
}
