//! A whole server in a folder, without its command line: what operators do to it, and what they read of it.
#![allow(dead_code, reason = "two test binaries use a part of it each")]

use std::{path::Path, sync::Arc, time::Duration};

use actix::{Addr, Handler, Message, dev::ToEnvelope};
use actix_rt::Arbiter;
use actor_server::{
    actors::{
        coordinator::CoordinatorActor,
        messages::{
            Cancel, ChildState, ControlError, DEADLINE, Inspect, Pause, Resume, Stop, Stopped,
            TriggerRun,
        },
        roster::Roster,
        supervision::{Child, Exits, spawn},
    },
    domain::{
        Instant,
        hold::{Hold, HoldKind},
        outcome::Status,
        run::ExecutionId,
        state::BotState,
    },
    store::LedgerRow,
};
use serde_json::json;
use tokio::sync::watch;

use super::{
    bots::name,
    stand::{Setting, Stand, eventually},
    troubled::Troubled,
};

/// A server at work.
pub(crate) struct Server {
    pub(crate) stand: Stand,
    pub(crate) coordinator: Addr<CoordinatorActor>,
    pub(crate) given_up: watch::Receiver<Option<String>>,
    pub(crate) roster: Roster,
    /// The coordinator's thread.
    arbiter: Option<Arbiter>,
}

impl Server {
    pub(crate) async fn start(folder: &Path, setting: Setting) -> Self {
        Self::around(Stand::on(folder, setting).await)
    }

    /// One of the processes on a database.
    pub(crate) async fn at(url: String, setting: Setting) -> Self {
        Self::around(Stand::at(url, setting).await)
    }

    fn around(stand: Stand) -> Self {
        let roster = Roster::new(
            stand.env.rules.supervision,
            stand.env.metrics.actors.clone(),
        );
        let (fatal, given_up) = watch::channel(None);
        let (env, kept) = (Arc::clone(&stand.env), roster.clone());
        let build = || CoordinatorActor::new(env, kept, Arc::new(fatal));
        let (arbiter, exits) = (Arbiter::new(), Exits::default());
        let coordinator = spawn(&arbiter.handle(), Child::Coordinator, 1, &exits, build);
        Self {
            stand,
            coordinator,
            given_up,
            roster,
            arbiter: Some(arbiter),
        }
    }

    /// The connection to the store.
    pub(crate) fn line(&self) -> &Troubled {
        self.stand.line.as_ref().unwrap()
    }

    /// Stops in order and signs off; another server may have the folder then.
    pub(crate) async fn stop(self, grace: Duration) -> Stopped {
        let stopped = self.coordinator.send(Stop { grace }).await.unwrap();
        let (store, me) = (&self.stand.env.store, &self.stand.env.me.id);
        let _ = store.sign_off(me).await;
        store.close().await;
        stopped
    }

    pub(crate) async fn ask<M>(&self, message: M) -> M::Result
    where
        M: Message + Send + 'static,
        M::Result: Send,
        CoordinatorActor: Handler<M>,
        actix::Context<CoordinatorActor>: ToEnvelope<CoordinatorActor, M>,
    {
        let answer = self.coordinator.send(message).timeout(DEADLINE).await;
        answer.expect("the coordinator does not answer")
    }

    pub(crate) async fn trigger(&self, bot: &str) -> Result<ExecutionId, ControlError> {
        let (bot, input) = (name(bot), json!({ "note": "by hand" }));
        self.ask(TriggerRun { bot, input }).await
    }

    pub(crate) async fn cancel(&self, run: ExecutionId) -> Result<(), ControlError> {
        self.ask(Cancel(run)).await
    }

    pub(crate) async fn pause(
        &self,
        bot: &str,
        until: Option<Instant>,
    ) -> Result<BotState, ControlError> {
        let hold = Hold {
            kind: HoldKind::Manual,
            reason: "a look at it".into(),
            until,
            by: "ada".into(),
        };
        let bot = name(bot);
        self.ask(Pause { bot, hold }).await
    }

    pub(crate) async fn resume(&self, bot: &str) -> Result<BotState, ControlError> {
        let (bot, kind) = (name(bot), None);
        self.ask(Resume { bot, kind }).await
    }

    /// All rows of a bot, oldest first.
    pub(crate) async fn ledger(&self, bot: &str) -> Vec<LedgerRow> {
        let rows = self.stand.env.store.ledger(Some(&name(bot)), 1000).await;
        let mut rows = rows.unwrap();
        rows.reverse();
        rows
    }

    /// What is stored of a bot.
    pub(crate) async fn state(&self, bot: &str) -> BotState {
        let states = self.stand.env.store.states().await.unwrap();
        let mut states = states.into_iter();
        states.find(|state| state.bot == name(bot)).unwrap()
    }

    /// The row of a run, once it is as it should be.
    pub(crate) async fn row(
        &self,
        bot: &str,
        what: &str,
        right: impl Fn(&LedgerRow) -> bool,
    ) -> LedgerRow {
        let (right, what) = (&right, format!("{bot}: {what}"));
        let found = || async move { self.ledger(bot).await.into_iter().find(|row| right(row)) };
        eventually(&what, found).await
    }

    /// The row of this run, once it is in that status; `Running` means that it has started.
    pub(crate) async fn run(&self, bot: &str, run: ExecutionId, status: Status) -> LedgerRow {
        let what = format!("run {run} is {}", status.as_str());
        let right =
            |row: &LedgerRow| row.id == run && row.status == status && row.started_at.is_some();
        self.row(bot, &what, right).await
    }

    /// So many runs of a bot with that end.
    pub(crate) async fn runs(&self, bot: &str, n: usize, status: Status) -> Vec<LedgerRow> {
        let what = format!("{bot}: {n} runs {}", status.as_str());
        let found = || async move {
            let rows = self.ledger(bot).await.into_iter();
            let ended: Vec<_> = rows.filter(|row| row.status == status).collect();
            (ended.len() >= n).then_some(ended)
        };
        eventually(&what, found).await
    }

    /// Where in its life a bot's actor is, once it is there.
    pub(crate) async fn child_is(&self, child: &Child, state: ChildState) {
        let what = format!("{child} is {state:?}");
        let found = || async move {
            let tree = self.ask(Inspect).await.children;
            let mut tree = tree.into_iter();
            tree.find(|one| one.child == *child && one.state == state)
        };
        eventually(&what, found).await;
    }
}

impl Drop for Server {
    /// First the one who would rebuild the others.
    fn drop(&mut self) {
        if let Some(arbiter) = self.arbiter.take() {
            arbiter.stop();
            let _ = arbiter.join();
        }
        for child in [
            Child::Alert,
            Child::HealthCheck,
            Child::Scheduler,
            Child::Persistence,
        ] {
            self.roster.abandon_thread(&child);
        }
    }
}
