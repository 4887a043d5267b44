//! The skills at work, on a thread of their own and for no longer than the bot's timeout.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::{runtime::Handle, task::spawn_blocking, time::timeout};

use super::{NO_RUN, outlet::PreviewOutlet, shelf::PreviewShelf};
use crate::{
    actors::supervision::panic_text,
    domain::{
        Instant,
        bot::Bot,
        input::RunInput,
        outcome::{AttemptOutcome, Status},
        run::Trigger,
    },
    skills::{Progress, RunContext, SkillSet, run_attempt},
};

/// How long an attempt that was told to end may take to let go of its thread.
const LETTING_GO: Duration = Duration::from_millis(200);

/// All that one attempt needs, on a thread of its own.
pub(super) struct Attempt {
    pub(super) bot: Arc<Bot>,
    pub(super) skills: SkillSet,
    pub(super) content: RunInput,
    pub(super) outlet: Arc<PreviewOutlet>,
    pub(super) shelf: PreviewShelf,
    pub(super) at: Instant,
    pub(super) progress: Progress,
}

impl Attempt {
    /// Ends by the bot's timeout, even if a skill never yields.
    pub(super) async fn within_its_time(self) -> AttemptOutcome {
        let (bot, progress) = (Arc::clone(&self.bot), self.progress.clone());
        let longest = bot.policy.timeout;
        let runtime = Handle::current();
        let work = move || runtime.block_on(async { timeout(longest, self.work()).await.ok() });
        let thread = spawn_blocking(work);
        match timeout(longest + LETTING_GO, thread).await {
            Ok(Ok(Some(outcome))) => outcome,
            Ok(Ok(None)) | Err(_) => {
                let error = format!("the attempt took longer than {} s", longest.as_secs_f64());
                progress.interrupted(&bot.behaviour, Status::TimedOut, &error)
            }
            Ok(Err(error)) => {
                let text = match error.try_into_panic() {
                    Ok(payload) => panic_text(payload.as_ref()),
                    Err(error) => error.to_string(),
                };
                progress.interrupted(&bot.behaviour, Status::Panicked, &text)
            }
        }
    }

    async fn work(&self) -> AttemptOutcome {
        let behaviour = &self.bot.behaviour;
        let context = RunContext {
            bot: &self.bot.name,
            title: &behaviour.title,
            execution: NO_RUN,
            trigger: Trigger::Manual,
            slot: None,
            now: self.at,
            attempt: 1,
            event: Value::Null,
            schedule: self.bot.schedule.as_ref(),
            knowledge: &behaviour.knowledge,
            content: self.content.content(),
            item: None,
            candidates: Vec::new(),
            nothing_to_post: None,
            results: Map::new(),
            shelf: &self.shelf,
            message: None,
            outlet: self.outlet.as_ref(),
            posted: 0,
        };
        run_attempt(&self.skills, behaviour, context, &self.progress).await
    }
}
