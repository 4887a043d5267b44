//! What the tests of the rules are made of.

use actor_server::domain::{
    Instant,
    alert::{
        AlertRules, BotAlerts, Cause, ChannelRules, End, Ground, Incident, Stage, Step, Subject,
        begins, ends, goes_by,
    },
    bot::BotName,
    hold::HoldKind,
};

pub(crate) fn at(seconds: i64) -> Instant {
    chrono::DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

pub(crate) fn subject() -> Subject {
    Subject::Bot(BotName::parse("daily").unwrap())
}

pub(crate) fn failures(in_a_row: u32) -> Cause {
    Cause::Failures {
        in_a_row,
        last: None,
    }
}

pub(crate) fn held() -> Cause {
    Cause::Held {
        kind: HoldKind::Failures,
        reason: "5 failed runs in a row".into(),
    }
}

pub(crate) fn missed(slots: u64, first: i64, last: i64) -> Cause {
    let (first, last) = (at(first), at(last));
    Cause::Missed { slots, first, last }
}

/// A webhook and a Discord channel that are told of everything.
pub(crate) fn rules() -> AlertRules {
    AlertRules {
        channels: vec![
            ChannelRules::of_everything("webhook", true),
            ChannelRules::of_everything("discord", false),
        ],
        ..AlertRules::default()
    }
}

/// One incident's history: every step is stored as it is made.
pub(crate) struct Story {
    pub(crate) rules: AlertRules,
    pub(crate) bot: BotAlerts,
    pub(crate) incident: Option<Incident>,
    /// The title of what was told last.
    pub(crate) title: String,
}

impl Story {
    pub(crate) fn by(rules: AlertRules) -> Self {
        Self {
            rules,
            bot: BotAlerts::default(),
            incident: None,
            title: String::new(),
        }
    }

    fn ground(&self, now: i64) -> Ground<'_> {
        let (rules, bot, now) = (&self.rules, &self.bot, at(now));
        Ground { rules, bot, now }
    }

    /// Who is told what, such as `webhook raised`; `-` if something is stored and nobody is told, and nothing if not.
    fn take(&mut self, step: Option<Step>) -> Vec<String> {
        let Some(Step { mut incident, tell }) = step else {
            return Vec::new();
        };
        incident.id = incident.id.max(1);
        incident.revision += 1;
        self.incident = Some(incident);
        if tell.is_empty() {
            return vec!["-".into()];
        }
        if let Some((_, notice)) = tell.last() {
            self.title.clone_from(&notice.title);
        }
        let told = |(channel, notice): (String, _)| {
            let notice: actor_server::domain::alert::Notice = notice;
            format!("{channel} {}", notice.stage.as_str())
        };
        tell.into_iter().map(told).collect()
    }

    pub(crate) fn begins(&mut self, cause: &Cause, now: i64) -> Vec<String> {
        let step = begins(self.incident.as_ref(), &subject(), cause, self.ground(now));
        self.take(step)
    }

    pub(crate) fn ends(&mut self, end: End<'_>, now: i64) -> Vec<String> {
        let open = self.incident.clone().unwrap();
        let step = ends(&open, end, self.ground(now));
        self.take(step)
    }

    pub(crate) fn passes(&mut self, now: i64) -> Vec<String> {
        let open = self.incident.clone().unwrap();
        let step = goes_by(&open, self.ground(now));
        self.take(step)
    }

    pub(crate) fn now(&self) -> &Incident {
        self.incident.as_ref().unwrap()
    }
}

/// The one notice of a step.
pub(crate) fn told(step: Option<Step>) -> actor_server::domain::alert::Notice {
    let mut tell = step.unwrap().tell;
    tell.remove(0).1
}

pub(crate) fn all(stage: Stage) -> [String; 2] {
    ["webhook", "discord"].map(|channel| format!("{channel} {}", stage.as_str()))
}
