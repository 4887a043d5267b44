//! Where a run's posts go: stored first, then sent, then marked. Those of a dry run go into its metadata, and no further.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::json;

use super::driver::Run;
use crate::{
    actors::{
        delivery::{Delivered, Insistence},
        env::Platforms,
        lanes::sending::{self, Errand},
        persistence::WriteError,
    },
    domain::{
        content::ItemUse,
        hold::HoldKind,
        post::{Message, Post, nonce},
        run::Trigger,
    },
    skills::{Outlet, SkillError},
    store::{NewPost, Write, Written},
    telemetry::traces::Span,
};

/// How long to wait before a store that is away is asked again.
const AGAIN: Duration = Duration::from_millis(250);

/// The outlet of one run.
pub(super) struct RunOutlet {
    run: Arc<Run>,
}

impl RunOutlet {
    pub(super) const fn new(run: Arc<Run>) -> Self {
        Self { run }
    }

    /// Waits for a store that is away: the attempt's timeout bounds it. Answers also whether the post was there before.
    async fn store(
        &self,
        position: i32,
        message: &Message,
        item: Option<&ItemUse>,
    ) -> Result<(Post, bool), SkillError> {
        loop {
            let new = self.new_post(position, message.clone(), item.cloned());
            let at = new.at;
            match self.run.env.queue.ask(Write::StorePost(new), false).await {
                Ok(Written::Post(post)) => {
                    let is_new = post.created_at.timestamp_micros() == at.timestamp_micros();
                    return Ok((*post, !is_new));
                }
                // The next attempt chooses another one.
                Ok(Written::ItemTaken) => {
                    return Err(SkillError::recoverable(
                        "another run of the bot has posted this item meanwhile",
                    ));
                }
                Ok(_) => {
                    return Err(SkillError::unrecoverable(
                        "another process has taken this run over",
                    ));
                }
                Err(WriteError::Unavailable | WriteError::Full) => tokio::time::sleep(AGAIN).await,
                Err(WriteError::Failed(error)) => return Err(SkillError::unrecoverable(error)),
            }
        }
    }

    /// An attempt after this one puts its own posts in their place.
    fn keep(&self, position: i32, message: &Message) {
        let (platform, destination) = Platforms::of(&self.run.bot);
        let post = json!({
            "position": position,
            "platform": platform,
            "destination": destination,
            "body": message.body,
            "options": message.options,
        });
        let kept = self.run.would_post.lock();
        kept.unwrap_or_else(PoisonError::into_inner)
            .insert(position, post);
    }

    fn new_post(&self, position: i32, message: Message, item: Option<ItemUse>) -> NewPost {
        let Run {
            env,
            bot,
            claim,
            started_at,
            ..
        } = self.run.as_ref();
        let (platform, destination) = Platforms::of(bot);
        NewPost {
            execution: claim.execution,
            bot: bot.name.clone(),
            position,
            platform: platform.into(),
            destination,
            message,
            item,
            nonce: nonce(
                env.store.database_id(),
                &bot.name,
                claim.slot,
                claim.execution,
                position,
            ),
            started_at: *started_at,
            at: env.clock.now(),
        }
    }
}

#[async_trait]
impl Outlet for RunOutlet {
    async fn post(
        &self,
        position: i32,
        message: Message,
        item: Option<&ItemUse>,
    ) -> Result<Option<String>, SkillError> {
        if self.run.input.is_dry() {
            self.keep(position, &message);
            return Ok(None);
        }
        let span = Span::current().child("post");
        span.set("position", position);
        span.set("platform", Platforms::of(&self.run.bot).0.to_owned());
        let posted = span.around(self.send(position, message, item)).await;
        if let Err(error) = &posted {
            span.fail(&error.message);
        }
        span.end();
        posted
    }
}

impl RunOutlet {
    async fn send(
        &self,
        position: i32,
        message: Message,
        item: Option<&ItemUse>,
    ) -> Result<Option<String>, SkillError> {
        let storing = Span::current().child("store post");
        let stored = storing.around(self.store(position, &message, item)).await;
        let (post, maybe_sent) = stored?;
        storing.end();
        fail::fail_point!("post.stored");
        let insistence = match self.run.claim.trigger {
            Trigger::Manual => Insistence::Once,
            Trigger::Schedule | Trigger::Event => Insistence::None,
        };
        let errand = Errand {
            retry: &self.run.bot.policy.retry,
            insistence,
            maybe_sent,
            waits: &self.run.post_waits,
        };
        let delivered = sending::in_turn(&self.run.env, post, errand).await;
        let waits = matches!(delivered, Delivered::NotNow(_) | Delivered::Waits(_));
        self.run.post_waits.store(waits, Ordering::Relaxed);
        match delivered {
            Delivered::Sent(id) => Ok(id),
            Delivered::Failed(error) | Delivered::NotNow(error) | Delivered::Waits(error) => {
                Err(SkillError::unrecoverable(error))
            }
            Delivered::Forbidden(error) => Err(SkillError {
                message: error,
                recoverable: false,
                hold: Some(HoldKind::Refused),
            }),
        }
    }
}
