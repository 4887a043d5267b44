//! Bots whose one skill does what its name says.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use actor_server::{
    domain::{
        bot::{Behaviour, Bot, BotName, ExecutionRules, SkillSpec, Target},
        policy::Policy,
        post::Message,
        retry::RetryPolicy,
        schedule::{ScheduleKind, ScheduleSpec},
    },
    skills::{RunContext, SettingProblem, Skill, SkillError, SkillSet, Verdict},
};
use async_trait::async_trait;
use chrono::DateTime;
use serde_json::{Map, Value, json};

/// All deeds, by name.
pub(crate) fn deeds() -> SkillSet {
    use Deed::{Block, Fail, Fickle, Hang, Panic, Post, Succeed};
    let all = [
        Succeed,
        Fail,
        Fickle(Arc::default()),
        Panic,
        Block,
        Hang,
        Post,
    ];
    all.into_iter().fold(SkillSet::built_in(), SkillSet::with)
}

/// What a skill does.
pub(crate) enum Deed {
    Succeed,
    Fail,
    /// Fails twice, then succeeds.
    Fickle(Arc<AtomicU32>),
    Panic,
    /// Holds its thread for ever.
    Block,
    /// Never ends, but yields.
    Hang,
    /// Posts one message.
    Post,
}

#[async_trait]
impl Skill for Deed {
    fn name(&self) -> &str {
        match self {
            Self::Succeed => "succeed",
            Self::Fail => "fail",
            Self::Fickle(_) => "fickle",
            Self::Panic => "panic",
            Self::Block => "block",
            Self::Hang => "hang",
            Self::Post => "post",
        }
    }

    fn check(&self, _: &Map<String, Value>) -> Vec<SettingProblem> {
        Vec::new()
    }

    async fn run(
        &self,
        run: &mut RunContext<'_>,
        _: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        match self {
            Self::Succeed => {}
            Self::Fail => return Err(SkillError::unrecoverable("no luck")),
            Self::Fickle(calls) if calls.fetch_add(1, Ordering::SeqCst) < 2 => {
                return Err(SkillError::recoverable("no luck yet"));
            }
            Self::Fickle(_) => {}
            Self::Panic => panic!("a skill lost its head"),
            Self::Block => loop {
                std::thread::park();
            },
            Self::Hang => pending().await,
            Self::Post => {
                let (body, options) = ("hello".into(), json!({}));
                let message = Message { body, options };
                run.outlet.post(0, message, None).await?;
            }
        }
        Ok(Verdict::Done)
    }
}

pub(crate) fn name(text: &str) -> BotName {
    BotName::parse(text).unwrap()
}

/// A bot with that skill, a slot far in the future, and quick retries.
pub(crate) fn bot(text: &str, deed: &str) -> Bot {
    let at = DateTime::from_timestamp(4_000_000_000, 0).unwrap();
    let skill = SkillSpec {
        name: deed.into(),
        enabled: true,
        settings: Map::new(),
    };
    Bot {
        name: name(text),
        enabled: true,
        quarantine: None,
        target: Target::default(),
        schedule: Some(spec(ScheduleKind::Once { at })),
        policy: Policy {
            retry: RetryPolicy {
                initial_backoff: Duration::from_millis(10),
                ..RetryPolicy::default()
            },
            ..Policy::default()
        },
        behaviour: Arc::new(Behaviour {
            title: text.into(),
            skills: vec![skill],
            execution: ExecutionRules {
                max_retries: 0,
                ..ExecutionRules::default()
            },
            ..Behaviour::default()
        }),
    }
}

/// A bot that posts the content that it is given.
pub(crate) fn formatting(text: &str) -> Bot {
    let mut bot = bot(text, "content_formatter");
    let behaviour = Arc::make_mut(&mut bot.behaviour);
    behaviour.skills.push(SkillSpec {
        name: "content_posting".into(),
        enabled: true,
        settings: Map::new(),
    });
    bot
}

/// Formats by this template.
pub(crate) fn set_template(bot: &mut Bot, template: &str) {
    let behaviour = Arc::make_mut(&mut bot.behaviour);
    let formatter = behaviour.skills.first_mut().unwrap();
    formatter
        .settings
        .insert("template".into(), json!(template));
}

/// The same, every so many seconds.
pub(crate) fn every(seconds: u32, text: &str, deed: &str) -> Bot {
    let schedule = Some(spec(ScheduleKind::Interval { seconds }));
    Bot {
        schedule,
        ..bot(text, deed)
    }
}

/// With other policies.
pub(crate) fn with(mut bot: Bot, change: impl FnOnce(&mut Policy)) -> Bot {
    change(&mut bot.policy);
    bot
}

const fn spec(kind: ScheduleKind) -> ScheduleSpec {
    ScheduleSpec {
        kind,
        starts_at: None,
        ends_at: None,
    }
}
