//! One attempt of a run: its skills in listed order, over one context.
//!
//! The caller owns the timeout and the cancel, and carries them out by dropping the future; nothing here needs to run
//! after that, and what was done is in the caller's [`Progress`]. A panic of a skill ends the attempt as an outcome
//! and goes no further.

use std::{any::Any, borrow::Cow, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use tokio::time::sleep;

use super::{
    RunContext, Skill, SkillError, Verdict, content_posting::ContentPosting, progress::Progress,
    registry::SkillSet,
};
use crate::{
    domain::{
        bot::{Behaviour, ExecutionRules, SkillSpec},
        hold::HoldKind,
        outcome::{AttemptOutcome, SkillStatus, Status},
        retry::RetryPolicy,
        text::bounded,
    },
    telemetry::traces::Span,
};

/// The longest error of an attempt, in characters.
const MAX_ERROR: usize = 2000;

/// Runs the skills of `behaviour` once, each retried as its rules say.
pub async fn run_attempt(
    skills: &SkillSet,
    behaviour: &Behaviour,
    mut context: RunContext<'_>,
    progress: &Progress,
) -> AttemptOutcome {
    let mut tally = Tally::default();
    for spec in &behaviour.skills {
        if let Some(why) = &tally.ended {
            progress.skip(&spec.name, why);
        } else if spec.enabled {
            let step = run_step(skills, spec, behaviour.execution, &mut context, progress).await;
            tally.add(&spec.name, step, behaviour.execution);
        } else {
            progress.skip(&spec.name, "switched off");
        }
    }
    tally.outcome(progress)
}

/// What a panic leaves.
type Panic = Box<dyn Any + Send>;

/// How one skill ended.
enum Step {
    Done,
    Idle(String),
    Stopped(String),
    Failed(SkillError),
    Panicked(String),
}

impl Step {
    fn of(result: Result<Result<Verdict, SkillError>, Panic>) -> Self {
        match result {
            Ok(Ok(Verdict::Done)) => Self::Done,
            Ok(Ok(Verdict::NothingToDo(why))) => Self::Idle(why),
            Ok(Ok(Verdict::Stop(why))) => Self::Stopped(why),
            Ok(Err(error)) => Self::Failed(error),
            Err(panic) => Self::Panicked(panic_text(panic.as_ref())),
        }
    }

    /// What the ledger says of it.
    fn record(&self) -> (SkillStatus, Option<&str>) {
        match self {
            Self::Done => (SkillStatus::Succeeded, None),
            Self::Idle(why) => (SkillStatus::Skipped, Some(why)),
            Self::Stopped(why) => (SkillStatus::Succeeded, Some(why)),
            Self::Failed(error) => (SkillStatus::Failed, Some(&error.message)),
            Self::Panicked(text) => (SkillStatus::Failed, Some(text)),
        }
    }
}

async fn run_step(
    skills: &SkillSet,
    spec: &SkillSpec,
    rules: ExecutionRules,
    context: &mut RunContext<'_>,
    progress: &Progress,
) -> Step {
    progress.begin(&spec.name);
    let span = span_of(&spec.name);
    let result = match skills.get(&spec.name) {
        Some(skill) => {
            let tried = try_skill(skill.as_ref(), spec, rules.max_retries, context);
            AssertUnwindSafe(span.around(tried)).catch_unwind().await
        }
        None => Ok(Err(SkillError::unrecoverable(skills.unknown(&spec.name)))),
    };
    let step = Step::of(result);
    if skills
        .get(&spec.name)
        .is_some_and(|skill| skill.guards_posting())
    {
        shut(context, &spec.name, &step);
    }
    let (status, detail) = step.record();
    progress.end(status, detail);
    close(&span, status, detail);
    step
}

/// What a skill that guards the posting could not decide is not posted.
fn shut(context: &mut RunContext<'_>, skill: &str, step: &Step) {
    if matches!(step, Step::Failed(_) | Step::Panicked(_)) {
        context.nothing_to_post = Some(format!("{skill} failed"));
    }
}

fn span_of(skill: &str) -> Span {
    let attempt = Span::current();
    if !attempt.is_recording() {
        return attempt;
    }
    let span = attempt.child(format!("skill {skill}"));
    span.set("skill", skill.to_owned());
    span
}

/// What is not recorded has no span of its own to close.
fn close(span: &Span, status: SkillStatus, detail: Option<&str>) {
    if !span.is_recording() {
        return;
    }
    span.set("status", status.as_str());
    match detail {
        Some(error) if status == SkillStatus::Failed => span.fail(error),
        Some(why) => span.set("detail", why.to_owned()),
        None => {}
    }
    span.end();
}

async fn try_skill(
    skill: &dyn Skill,
    spec: &SkillSpec,
    max_retries: u32,
    context: &mut RunContext<'_>,
) -> Result<Verdict, SkillError> {
    let policy = retries(spec, max_retries);
    let mut failed = 0;
    loop {
        let error = match skill.run(context, &spec.settings).await {
            Err(error) if error.recoverable => error,
            ended => return ended,
        };
        failed += 1;
        match policy.backoff_after(failed, 0.5) {
            Some(wait) => sleep(wait).await,
            None => return Err(error),
        }
    }
}

/// A recoverable error is retried after a short wait; a post is not, because its outlet does that with one nonce.
fn retries(spec: &SkillSpec, max_retries: u32) -> RetryPolicy {
    let posts = spec.name == ContentPosting::NAME;
    RetryPolicy {
        max_attempts: if posts {
            1
        } else {
            max_retries.saturating_add(1)
        },
        initial_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(2),
        ..RetryPolicy::default()
    }
}

/// What the skills so far mean for the attempt.
#[derive(Default)]
struct Tally {
    /// Why no further skill runs.
    ended: Option<String>,
    gate: Option<String>,
    panicked: bool,
    errors: Vec<String>,
    /// Whether an error was among them that no further attempt can mend.
    hopeless: bool,
    hold: Option<HoldKind>,
}

impl Tally {
    fn add(&mut self, skill: &str, step: Step, rules: ExecutionRules) {
        match step {
            Step::Done | Step::Idle(_) => {}
            Step::Stopped(_) => {
                self.gate = Some(skill.to_owned());
                self.ended = Some(format!("{skill} ended the run"));
            }
            Step::Failed(error) => {
                let goes_on = goes_on(&error, rules);
                self.fail(skill, &error.message, goes_on);
                self.hopeless |= !error.recoverable;
                self.hold = self.hold.or(error.hold);
            }
            Step::Panicked(text) => {
                self.fail(skill, &text, false);
                self.panicked = true;
            }
        }
    }

    fn fail(&mut self, skill: &str, error: &str, goes_on: bool) {
        self.errors.push(format!("{skill}: {error}"));
        if !goes_on {
            self.ended = Some(format!("{skill} failed"));
        }
    }

    fn outcome(self, progress: &Progress) -> AttemptOutcome {
        let status = match () {
            () if self.panicked => Status::Panicked,
            () if !self.errors.is_empty() => Status::Failed,
            () if self.gate.is_some() => Status::Skipped,
            () => Status::Succeeded,
        };
        AttemptOutcome {
            status,
            gate: self
                .gate
                .filter(|_| status == Status::Skipped)
                .map(Cow::Owned),
            error: (!self.errors.is_empty()).then(|| bounded(&self.errors.join("; "), MAX_ERROR)),
            recoverable: status == Status::Failed && !self.hopeless,
            hold: self.hold,
            skills: progress.ended(),
        }
    }
}

/// Whether the skills behind a failed one still run.
fn goes_on(error: &SkillError, rules: ExecutionRules) -> bool {
    if error.recoverable {
        rules.continue_on_error
    } else {
        !rules.stop_on_unrecoverable
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a message"))
}
