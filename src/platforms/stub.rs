//! A platform without a network: it answers as it is told, and remembers what it got.
//!
//! For the tests of this crate and of programs that embed it. It enforces nonces as Discord does: a nonce whose post
//! has arrived is answered with the earlier receipt, and nothing is delivered a second time.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{ContentPoster, PostFailure, Receipt};
use crate::domain::post::Post;

/// A scripted platform; clones share script and memory.
#[derive(Clone, Debug, Default)]
pub struct StubPlatform(Arc<Mutex<Memory>>);

/// How the stub meets one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The post arrives, and the receipt comes back. What an empty script does.
    Deliver,
    /// The post does not arrive.
    Fail(PostFailure),
    /// The post arrives, but the caller is told this: a connection that was cut after the request.
    DeliverAndFail(PostFailure),
    /// Nothing arrives and no answer comes.
    Hang,
    /// The platform's code panics.
    Panic(String),
}

#[derive(Debug, Default)]
struct Memory {
    script: VecDeque<Answer>,
    received: Vec<Post>,
    delivered: Vec<Post>,
}

impl StubPlatform {
    /// A platform that takes everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds to the script: each answer is used for one call, in this order.
    #[must_use]
    pub fn answering(self, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.memory().script.extend(answers);
        self
    }

    /// Every call, in order, repetitions included.
    #[must_use]
    pub fn received(&self) -> Vec<Post> {
        self.memory().received.clone()
    }

    /// The posts that arrived, each nonce once.
    #[must_use]
    pub fn delivered(&self) -> Vec<Post> {
        self.memory().delivered.clone()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn next(&mut self, post: &Post) -> Answer {
        self.received.push(post.clone());
        self.script.pop_front().unwrap_or(Answer::Deliver)
    }

    /// Its place among the delivered, from 1, is its id.
    fn deliver(&mut self, post: &Post) -> Receipt {
        let known = self
            .delivered
            .iter()
            .position(|earlier| earlier.nonce == post.nonce);
        let place = known.unwrap_or_else(|| {
            self.delivered.push(post.clone());
            self.delivered.len() - 1
        });
        Receipt {
            message_id: Some((place + 1).to_string()),
        }
    }
}

#[async_trait]
impl ContentPoster for StubPlatform {
    fn platform(&self) -> &'static str {
        "stub"
    }

    async fn post(&self, post: &Post) -> Result<Receipt, PostFailure> {
        let answer = self.memory().next(post);
        match answer {
            Answer::Deliver => Ok(self.memory().deliver(post)),
            Answer::Fail(failure) => Err(failure),
            Answer::DeliverAndFail(failure) => {
                self.memory().deliver(post);
                Err(failure)
            }
            Answer::Hang => pending().await,
            Answer::Panic(text) => panic!("{text}"),
        }
    }
}
