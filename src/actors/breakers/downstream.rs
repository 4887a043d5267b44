//! Who is asked for a post, as far as breakers care.

use crate::{
    actors::env::{CONSOLE, Platforms},
    domain::bot::Bot,
};

/// The skill that asks a platform for something.
const POSTING: &str = "content_posting";

/// Who is asked for one post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downstream {
    /// The platform's word, which is the name of its breaker if it has one: `discord`.
    pub platform: String,
    /// The name of the destination's breaker: `discord:1234567890`.
    pub destination: String,
}

impl Downstream {
    /// Where a bot's posts go; `None` for a bot that posts nothing, or to the console, which is no downstream.
    #[must_use]
    pub fn of(bot: &Bot) -> Option<Self> {
        let platform = Self::platform_of(bot)?;
        Self::new(platform, &Platforms::of(bot).1)
    }

    /// The platform that a bot posts to; `None` for a bot that posts nothing.
    #[must_use]
    pub fn platform_of(bot: &Bot) -> Option<&str> {
        let mut skills = bot.behaviour.skills.iter();
        let posts = skills.any(|skill| skill.enabled && skill.name == POSTING);
        posts.then(|| Platforms::of(bot).0)
    }

    /// The downstream of this destination; `None` for the console.
    #[must_use]
    pub fn new(platform: &str, destination: &str) -> Option<Self> {
        (platform != CONSOLE).then(|| Self {
            platform: platform.into(),
            destination: format!("{platform}:{destination}"),
        })
    }
}
