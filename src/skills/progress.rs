//! What an attempt has done so far, known to its caller at any moment.
//!
//! The pipeline may be dropped between two polls, by a timeout or a cancel. What its skills did until then is not
//! lost with it, because it is written here and not in the future.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::domain::{
    bot::Behaviour,
    outcome::{AttemptOutcome, SkillOutcome, SkillStatus, Status},
    text::bounded,
};

/// The longest error that is kept, in characters.
const MAX_ERROR: usize = 2000;

/// The record of one attempt; clones share it. Each attempt has its own.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Record>>);

#[derive(Debug, Default)]
struct Record {
    ended: Vec<SkillOutcome>,
    /// The skill at work, and since when.
    at_work: Option<(String, Instant)>,
}

impl Progress {
    /// Nothing done yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The skills that have ended, in order.
    #[must_use]
    pub fn ended(&self) -> Vec<SkillOutcome> {
        self.record().ended.clone()
    }

    /// The outcome of an attempt whose pipeline was dropped: the skill at work counts as failed with that error,
    /// which names it, and those behind it as skipped.
    #[must_use]
    pub fn interrupted(
        &self,
        behaviour: &Behaviour,
        status: Status,
        error: &str,
    ) -> AttemptOutcome {
        let at_work = self
            .record()
            .at_work
            .as_ref()
            .map(|(skill, _)| skill.clone());
        let error = match &at_work {
            Some(skill) => bounded(&format!("{skill}: {error}"), MAX_ERROR),
            None => bounded(error, MAX_ERROR),
        };
        if at_work.is_some() {
            self.end(SkillStatus::Failed, Some(&error));
        }
        for spec in behaviour.skills.iter().skip(self.ended().len()) {
            self.skip(&spec.name, "the attempt ended before it");
        }
        AttemptOutcome {
            skills: self.ended(),
            ..AttemptOutcome::broken(status, error)
        }
    }

    pub(super) fn begin(&self, skill: &str) {
        self.record().at_work = Some((skill.to_owned(), Instant::now()));
    }

    /// Ends the skill at work.
    pub(super) fn end(&self, status: SkillStatus, detail: Option<&str>) {
        let mut record = self.record();
        if let Some((skill, since)) = record.at_work.take() {
            let duration_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
            record.ended.push(SkillOutcome {
                skill,
                status,
                detail: detail.map(|detail| bounded(detail, MAX_ERROR)),
                duration_ms,
            });
        }
    }

    /// Records a skill that was not begun.
    pub(super) fn skip(&self, skill: &str, why: &str) {
        self.begin(skill);
        self.end(SkillStatus::Skipped, Some(why));
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
