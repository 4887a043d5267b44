//! Bots: to see them, to hold them, to run them.

use reqwest::Method;
use serde::Serialize;
use serde_json::json;

use super::{
    Actor, ActorFilter, ActorStatus, Client, Error, Pages, PauseRequest, Reply, Resumed,
    TriggerRequest, Triggered,
};

const ACTORS: [&str; 3] = ["api", "v1", "actors"];

impl Client {
    /// Bots by name: all that fit the filter, or a page of them if it has a limit.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn actors(&self, filter: &ActorFilter) -> Result<Reply<Vec<Actor>>, Error> {
        self.get_with(&ACTORS, filter).await
    }

    /// Bots by name, page by page.
    #[must_use]
    pub fn actor_pages(&self, filter: ActorFilter) -> Pages<'_, Actor> {
        Pages::new(move |cursor| {
            let mut filter = filter.clone();
            filter.limit = filter.limit.or(Some(200));
            filter.cursor = cursor.or(filter.cursor);
            Box::pin(async move { self.actors(&filter).await })
        })
    }

    /// One bot.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn actor(&self, name: &str) -> Result<Reply<Actor>, Error> {
        self.get(&of(name)).await
    }

    /// How a bot is doing.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn status(&self, name: &str) -> Result<Reply<ActorStatus>, Error> {
        self.get(&below(name, "status")).await
    }

    /// Holds a bot until it is resumed, or until the request's end time. A bot that is held stays so.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pause(&self, name: &str, request: &PauseRequest) -> Result<Reply<Actor>, Error> {
        self.post(&below(name, "pause"), request).await
    }

    /// Ends a bot's hold, of whatever kind. A bot that is not held stays so.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resume(&self, name: &str) -> Result<Reply<Actor>, Error> {
        self.post(&below(name, "resume"), &json!({})).await
    }

    /// Ends this kind of hold (`manual`, `failures`, `refused`, `given_up`) on every bot.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resume_all(&self, kind: &str) -> Result<Reply<Resumed>, Error> {
        #[derive(Serialize)]
        struct Query<'a> {
            kind: &'a str,
        }
        let request = self.request(Method::POST, &["api", "v1", "actors", "resume"])?;
        self.ask(request.query(&Query { kind })).await
    }

    /// Runs a bot now, also while it is held.
    ///
    /// # Errors
    /// See [`Error`]; 409 while a run is on and the bot's `overlap` allows no other.
    pub async fn trigger(
        &self,
        name: &str,
        request: &TriggerRequest,
    ) -> Result<Reply<Triggered>, Error> {
        self.post(&below(name, "trigger"), request).await
    }
}

const fn of(name: &str) -> [&str; 4] {
    ["api", "v1", "actors", name]
}

const fn below<'a>(name: &'a str, what: &'a str) -> [&'a str; 5] {
    ["api", "v1", "actors", name, what]
}
