//! A pipeline whose skills do what a test tells them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's tool: each test uses a part of it, and some skills here panic"
)]

use std::{
    future::pending,
    sync::{Arc, Mutex},
};

use actor_server::{
    domain::{
        bot::{Behaviour, ExecutionRules, SkillSpec},
        hold::HoldKind,
        outcome::{AttemptOutcome, SkillStatus},
    },
    skills::{
        RunContext, SettingProblem, Skill, SkillError, Verdict, pipeline::run_attempt,
        progress::Progress, registry::SkillSet,
    },
};
use async_trait::async_trait;
use serde_json::{Map, Value};

use super::run::{Desk, bot, run as run_of};

/// What a fake skill does at each call; the last one is repeated.
#[derive(Clone)]
pub enum Act {
    Done,
    Nothing,
    Stop,
    Fail,
    FailForGood,
    Refused,
    Panic,
    PanicText(String),
    PanicOdd,
    Hang,
}

/// A skill with a script, which counts its calls.
pub struct Actor {
    name: String,
    acts: Vec<Act>,
    calls: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Skill for Actor {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, _: &Map<String, Value>) -> Vec<SettingProblem> {
        Vec::new()
    }

    async fn run(
        &self,
        _: &mut RunContext<'_>,
        _: &Map<String, Value>,
    ) -> Result<Verdict, SkillError> {
        let call = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(self.name.clone());
            calls.iter().filter(|name| **name == self.name).count()
        };
        let act = self.acts.get(call - 1).or(self.acts.last()).unwrap();
        match act {
            Act::Done => Ok(Verdict::Done),
            Act::Nothing => Ok(Verdict::NothingToDo("nothing new".into())),
            Act::Stop => Ok(Verdict::Stop("not now".into())),
            Act::Fail => Err(SkillError::recoverable("busy")),
            Act::FailForGood => Err(SkillError::unrecoverable("broken")),
            Act::Refused => Err(SkillError {
                hold: Some(HoldKind::Refused),
                ..SkillError::unrecoverable("refused")
            }),
            Act::Panic => panic!("lost {}", "it"),
            Act::PanicText(text) => panic!("{text}"),
            Act::PanicOdd => std::panic::panic_any(7),
            Act::Hang => pending().await,
        }
    }
}

/// A bot with these skills, and what they will do.
pub struct Stage {
    skills: SkillSet,
    pub behaviour: Behaviour,
    calls: Arc<Mutex<Vec<String>>>,
    pub progress: Progress,
}

impl Stage {
    pub fn with(cast: &[(&str, &[Act])]) -> Self {
        let calls = Arc::default();
        let mut stage = Self {
            skills: SkillSet::built_in(),
            behaviour: Behaviour::default(),
            calls: Arc::clone(&calls),
            progress: Progress::new(),
        };
        for (name, acts) in cast {
            stage.skills = stage.skills.with(Actor {
                name: (*name).to_owned(),
                acts: acts.to_vec(),
                calls: Arc::clone(&calls),
            });
            stage.behaviour.skills.push(spec(name));
        }
        stage
    }

    pub fn rules(mut self, rules: ExecutionRules) -> Self {
        self.behaviour.execution = rules;
        self
    }

    pub async fn play(&self) -> AttemptOutcome {
        let (bot, desk) = (bot(), Desk::default());
        let context = run_of(&bot, &desk, Value::Null);
        run_attempt(&self.skills, &self.behaviour, context, &self.progress).await
    }

    pub fn calls(&self) -> String {
        self.calls.lock().unwrap().join(" ")
    }
}

pub fn spec(name: &str) -> SkillSpec {
    SkillSpec {
        name: name.to_owned(),
        enabled: true,
        settings: Map::new(),
    }
}

pub fn no_retries() -> ExecutionRules {
    ExecutionRules {
        max_retries: 0,
        ..ExecutionRules::default()
    }
}

/// `a+ b! c-`: succeeded, failed, skipped.
pub fn told(outcome: &AttemptOutcome) -> String {
    let mark = |status| match status {
        SkillStatus::Succeeded => '+',
        SkillStatus::Failed => '!',
        SkillStatus::Skipped => '-',
    };
    let words: Vec<_> = outcome
        .skills
        .iter()
        .map(|skill| format!("{}{}", skill.skill, mark(skill.status)))
        .collect();
    words.join(" ")
}
