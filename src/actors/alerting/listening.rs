//! From alarms to signs: which incident each may begin or end. Most of what happens is of no account, and costs a look.

use std::sync::Arc;

use super::{direct, pinging};
use crate::{
    actors::{alarms::Alarm, env::Env, supervision::Child},
    domain::{
        Instant,
        alert::{AlertKind, Cause, LastRun, News, Sign, Subject},
        bot::BotName,
        fact::{Accounted, Fact},
        hold::Hold,
        outcome::Status,
        run::ExecutionId,
    },
};

/// Hears whatever happens.
pub(super) async fn keep_listening(env: Arc<Env>) {
    loop {
        for (at, alarm) in env.alarms.next().await {
            hear(&env, at, alarm);
        }
        fail::fail_point!("alert.future");
    }
}

/// Hears what has happened since.
pub(super) fn hear_all(env: &Arc<Env>) {
    for (at, alarm) in env.alarms.take() {
        hear(env, at, alarm);
    }
}

fn hear(env: &Arc<Env>, at: Instant, alarm: Alarm) {
    pinging::hear(env, &alarm);
    if env.alerting.has_channels() {
        Ear { env, at }.hear(alarm);
    }
}

/// One alarm's listener.
struct Ear<'a> {
    env: &'a Arc<Env>,
    at: Instant,
}

impl Ear<'_> {
    fn hear(&self, alarm: Alarm) {
        match alarm {
            Alarm::Fact(Fact::Accounted(accounted)) => self.accounted(accounted),
            Alarm::Fact(Fact::HoldSet { bot, hold }) => self.hold_set(bot, &hold),
            Alarm::Fact(Fact::HoldCleared { bot }) => {
                self.ends(&Subject::Bot(bot.clone()), AlertKind::Held);
                self.ends(&Subject::Bot(bot), AlertKind::GivenUp);
            }
            Alarm::RunStarted { bot, slot, .. } => {
                if slot.is_some() {
                    self.ends(&Subject::Bot(bot), AlertKind::Stalled);
                }
            }
            Alarm::RunEnded {
                bot,
                execution,
                status,
                error,
                consecutive_failures: Some(in_a_row),
            } => self.ended(bot, in_a_row, (execution, status, error)),
            Alarm::RunEnded { .. } => {}
            Alarm::GivenUp { child, reason } => self.given_up(child, reason),
            Alarm::Breaker { dependency, open } => {
                let subject = Subject::Dependency(dependency);
                match open {
                    true => self.begins(subject, Cause::BreakerOpen),
                    false => self.ends(&subject, AlertKind::BreakerOpen),
                }
            }
        }
    }

    fn accounted(&self, accounted: Accounted) {
        let subject = Subject::Bot(accounted.bot);
        match (accounted.status, accounted.range) {
            (Status::Missed, Some((first, last))) if accounted.slots > 0 => {
                let slots = accounted.slots;
                self.begins(subject, Cause::Missed { slots, first, last });
            }
            _ if accounted.ran && accounted.slots > 0 => {
                self.ends(&subject, AlertKind::Missed);
                self.ends(&subject, AlertKind::Stalled);
            }
            _ => {}
        }
    }

    /// The hold says more than the failures that led to it, and one hold more than another.
    fn hold_set(&self, bot: BotName, hold: &Hold) {
        let subject = Subject::Bot(bot);
        self.ends(&subject, AlertKind::Stalled);
        let cause = Cause::of_hold(hold);
        let kind = cause.as_ref().map(Cause::kind);
        for other in [AlertKind::Held, AlertKind::GivenUp] {
            if kind != Some(other) {
                self.ends(&subject, other);
            }
        }
        if let Some(cause) = cause {
            let why = "The bot is held now.";
            self.tell(&subject, AlertKind::Failures, News::Superseded(why));
            self.begins(subject, cause);
        }
    }

    /// At the last of so many failures the bot is held, which is told in its place.
    fn ended(&self, bot: BotName, in_a_row: u32, last: (ExecutionId, Status, Option<String>)) {
        let (execution, status, error) = last;
        if status.is_failure() && in_a_row < self.env.max_consecutive_failures() {
            let last = LastRun {
                execution,
                status,
                error,
            };
            let last = Some(last);
            self.failures(bot, in_a_row, last);
        } else if status.success() == Some(true) && in_a_row == 0 {
            self.ends(&Subject::Bot(bot), AlertKind::Failures);
        }
    }

    fn failures(&self, bot: BotName, in_a_row: u32, last: Option<LastRun>) {
        let alerts = self.env.bot(&bot).map(|bot| bot.policy.alerts.clone());
        let from = self.env.alerting.rules();
        let from = from.failures_from(&alerts.unwrap_or_default());
        let subject = Subject::Bot(bot);
        let is_known = || {
            let key = subject.key(AlertKind::Failures);
            self.env.alerting.may_be_open(&key)
        };
        if in_a_row >= from || is_known() {
            self.begins(subject, Cause::Failures { in_a_row, last });
        }
    }

    /// Of a bot the hold that follows says the same, and is the same incident.
    fn given_up(&self, child: Child, reason: String) {
        match child {
            Child::Task(bot) => self.begins(Subject::Bot(bot), Cause::GivenUp { reason }),
            core => {
                let sign = self.sign(Subject::Actor(core.to_string()), Cause::GivenUp { reason });
                direct::tell_at_once(self.env, sign);
            }
        }
    }

    fn sign(&self, subject: Subject, cause: Cause) -> Sign {
        Sign {
            subject,
            kind: cause.kind(),
            news: News::Begins(cause),
            at: self.at,
        }
    }

    fn begins(&self, subject: Subject, cause: Cause) {
        let sign = self.sign(subject, cause);
        self.env.alerting.hear(sign);
    }

    fn ends(&self, subject: &Subject, kind: AlertKind) {
        self.tell(subject, kind, News::Ends);
    }

    fn tell(&self, subject: &Subject, kind: AlertKind, news: News) {
        if self.env.alerting.may_be_open(&subject.key(kind)) {
            self.env.alerting.hear(Sign {
                subject: subject.clone(),
                kind,
                news,
                at: self.at,
            });
        }
    }
}
