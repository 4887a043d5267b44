//! A platform without a network: it answers as it is told, and remembers what it got.
//!
//! For the tests of this crate and of programs that embed it. It enforces nonces as Discord does: a nonce whose post
//! has arrived is answered with the earlier receipt, and nothing is delivered a second time, until it is told to forget
//! its nonces. It can be read back if it is told so.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::{ContentPoster, Found, PostFailure, Receipt};
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
    looked_for: Vec<Post>,
    /// So many of the delivered are not recognised by their nonces any more.
    forgotten: usize,
    window: Option<Duration>,
    can_be_read: bool,
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

    /// Says that it recognises nonces for so long.
    #[must_use]
    pub fn remembering(self, window: Duration) -> Self {
        self.memory().window = Some(window);
        self
    }

    /// Lets it be read back.
    #[must_use]
    pub fn readable(self) -> Self {
        self.memory().can_be_read = true;
        self
    }

    /// Recognises none of the nonces that it has had so far any more.
    pub fn forget(&self) {
        let mut memory = self.memory();
        memory.forgotten = memory.delivered.len();
    }

    /// The posts that were looked for, in order.
    #[must_use]
    pub fn looked_for(&self) -> Vec<Post> {
        self.memory().looked_for.clone()
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
        let of_nonce = |(_, earlier): &(usize, &Post)| earlier.nonce == post.nonce;
        let mut remembered = self.delivered.iter().enumerate().skip(self.forgotten);
        let known = remembered.find(of_nonce).map(|(place, _)| place);
        let place = known.unwrap_or_else(|| {
            self.delivered.push(post.clone());
            self.delivered.len() - 1
        });
        receipt(place)
    }

    fn find(&mut self, post: &Post, known: &[String]) -> Found {
        self.looked_for.push(post.clone());
        let is_it = |earlier: &Post| earlier.nonce == post.nonce;
        let place = self.delivered.iter().position(is_it).map(receipt);
        let others = |receipt: &Receipt| {
            let id = receipt.message_id.as_ref();
            id.is_some_and(|id| known.contains(id))
        };
        match place.filter(|receipt| !others(receipt)) {
            _ if !self.can_be_read => Found::CannotTell,
            Some(receipt) => Found::Yes(receipt),
            None => Found::No,
        }
    }
}

fn receipt(place: usize) -> Receipt {
    Receipt {
        message_id: Some((place + 1).to_string()),
    }
}

#[async_trait]
impl ContentPoster for StubPlatform {
    fn platform(&self) -> &'static str {
        "stub"
    }

    fn remembers(&self) -> Option<Duration> {
        self.memory().window
    }

    async fn find(&self, post: &Post, known: &[String]) -> Result<Found, PostFailure> {
        Ok(self.memory().find(post, known))
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
