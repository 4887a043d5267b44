//! Reading back from the store: at the start, at each reconciliation, and when something may have been missed.

use std::sync::Arc;

use actix::{AsyncContext, Context, Handler, Message};

use super::{SchedulerActor, claims::Reserved};
use crate::{
    actors::{board::Mark, env::Env, messages::Reload, supervision::beside},
    domain::{
        Instant,
        outcome::{AttemptOutcome, Status},
        run::Trigger,
        state::BotState,
    },
    store::{Finish, LiveRow, StoreError, Write},
};

/// How long to wait before the store is asked again.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(200);

/// Bots that are due within this time are looked at before they are.
const SOON: chrono::TimeDelta = chrono::TimeDelta::seconds(3);

/// Changes are looked for so far back, by the store's clock: one that was stored late carries an earlier time.
const OVERLAP: chrono::TimeDelta = chrono::TimeDelta::seconds(3);

/// How long to wait until a row is looked at again that may be on its way to its actor.
const LATER: std::time::Duration = std::time::Duration::from_secs(1);

impl SchedulerActor {
    /// Reads all states and this process's claims; asks again until the store answers.
    pub(super) fn load(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.loading, true) {
            return;
        }
        // What becomes uncertain from now on is not answered by this read.
        self.uncertain = false;
        let (env, me, epoch) = (Arc::clone(&self.env), self.me(ctx), self.epoch);
        beside(&self.me(ctx), async move {
            loop {
                match read(&env, epoch).await {
                    Ok(loaded) => {
                        let _ = me.send(loaded).await;
                        return;
                    }
                    Err(error) => tracing::debug!(%error, "the bots' states could not be read"),
                }
                tokio::time::sleep(AGAIN).await;
                if !me.connected() {
                    return;
                }
            }
        });
    }

    /// Compares memory with the store, and accounts for the slots of bots that may not run.
    pub(super) fn reconcile(&mut self, ctx: &mut Context<Self>) {
        if self.draining {
            return;
        }
        self.account_for_closed(ctx);
        self.load(ctx);
    }

    /// What other replicas gave back, held or resumed concerns this one as soon as the bot is due, and whoever asks
    /// this one about it at once.
    pub(super) fn refresh(&mut self, ctx: &mut Context<Self>) {
        if self.draining || !self.loaded {
            return;
        }
        let (env, me, epoch) = (Arc::clone(&self.env), self.me(ctx), self.epoch);
        let since = self.changes_since;
        beside(&self.me(ctx), async move {
            if let Some(refreshed) = read_changes(&env, epoch, since).await {
                let _ = me.send(refreshed).await;
            }
        });
    }

    /// What was read of a bot replaces what is remembered, unless memory has learned of something since.
    fn take_up(&mut self, state: BotState, mark: Mark) {
        let name = state.bot.clone();
        let is_older = self.env.board.has_changed(&name, mark);
        match self.agenda.get(&name) {
            Some(_) if is_older => {}
            Some(_) if self.agenda.is_at_rest(&name) => self.renew(state),
            // What is on its way is decided by what it was made from; whoever asks is told.
            Some(_) => self.env.board.stored(&state),
            None => {
                if let Some(bot) = self.env.bot(&name) {
                    self.agenda.add(bot, state, self.epoch);
                    self.uncertain |= is_older;
                }
            }
        }
    }

    /// A row of this process that no living actor holds: a claim goes on waiting, a run that started is over. Replies
    /// `false` if it may be on its way to its actor.
    ///
    /// Whoever lets go of a claim has queued its end before: an end queued here comes after it and is void.
    fn adopt(&mut self, row: &LiveRow) -> bool {
        if self.env.runs.has(row.claim.execution) {
            return true;
        }
        if self.env.bot(&row.claim.bot).is_none() {
            self.let_go(row);
            return true;
        }
        match row.started_at {
            Some(started_at) => {
                let error = "the bot's actor ended before the run did";
                let outcome = AttemptOutcome::broken(Status::Abandoned, error);
                self.env.queue.keep(Write::Finish(Box::new(Finish {
                    execution: row.claim.execution,
                    bot: row.claim.bot.clone(),
                    started_at,
                    completed_at: self.env.clock.now(),
                    attempt: row.claim.attempt,
                    outcome,
                    metadata: serde_json::json!({}),
                    max_consecutive_failures: self.env.max_consecutive_failures(),
                })));
            }
            None => {
                let by_slot = row.claim.trigger == Trigger::Schedule;
                if !by_slot && self.env.runs.expects(&row.claim.bot) {
                    return false;
                }
                return self.adopt_claim(row);
            }
        }
        true
    }

    /// A trigger that was taken over and whose bot the configuration has dropped meanwhile.
    fn let_go(&self, row: &LiveRow) {
        if row.started_at.is_none() && row.claim.trigger != Trigger::Schedule {
            let execution = row.claim.execution;
            self.env.queue.keep(Write::Release { execution });
        }
    }

    /// A claim that nobody holds waits here again; whether it is still good, the store says at the start. Replies `false`
    /// if a plan of its bot is on its way, which comes first.
    fn adopt_claim(&mut self, row: &LiveRow) -> bool {
        let mut claim = row.claim.clone();
        let Some(entry) = self.agenda.get(&claim.bot) else {
            return true;
        };
        if self.agenda.claims().has(claim.execution) {
            return true;
        }
        if entry.pending {
            return false;
        }
        // The store knows the slot, not the jitter.
        let due = claim.slot.and_then(|slot| entry.due_of(slot));
        claim.due = due.unwrap_or(claim.due);
        self.agenda.keep(Reserved {
            // A run that has started once is not late any more, and a trigger never is.
            lenient: claim.attempt > 1 || claim.trigger != Trigger::Schedule,
            claim,
            verify: true,
            backlog: false,
            input: row.metadata.get("input").cloned().unwrap_or_default(),
        });
        true
    }
}

async fn read(env: &Arc<Env>, epoch: u64) -> Result<Loaded, StoreError> {
    let inner = Arc::clone(env);
    let mark = env.board.mark();
    let work = async move {
        let before = inner.news.before_look();
        let states = inner.store.states().await?;
        inner.news.holds_are(inner.clock.now(), before, &states);
        let live = inner.store.live(&inner.me.id).await?;
        Ok(Loaded {
            epoch,
            states,
            live,
            mark,
        })
    };
    env.runtime
        .spawn(work)
        .await
        .unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
}

/// What the store has.
#[derive(Message)]
#[rtype(result = "()")]
struct Loaded {
    /// The configuration at the time of asking.
    epoch: u64,
    states: Vec<BotState>,
    live: Vec<LiveRow>,
    /// When the read began.
    mark: Mark,
}

impl Handler<Loaded> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, loaded: Loaded, ctx: &mut Self::Context) {
        let Loaded {
            epoch,
            states,
            live,
            mark,
        } = loaded;
        self.loading = false;
        if epoch != self.epoch {
            return self.load(ctx);
        }
        for state in states {
            self.take_up(state, mark);
        }
        let later = live.into_iter().filter(|row| !self.adopt(row));
        if later.count() > 0 {
            ctx.run_later(LATER, |actor, ctx| actor.load(ctx));
        }
        if !self.loaded {
            self.loaded = true;
            self.env.vitals.set_loaded(true);
            self.account_for_closed(ctx);
        }
        self.tick(ctx);
    }
}

async fn read_changes(env: &Arc<Env>, epoch: u64, since: Instant) -> Option<Refreshed> {
    let (inner, now, mark) = (Arc::clone(env), env.clock.now(), env.board.mark());
    let before = env.news.before_look();
    let reading = env.runtime.spawn(async move {
        let changed = inner.store.changed(since).await;
        (changed, inner.store.due(now + SOON).await)
    });
    let (changed, due) = reading.await.ok()?;
    let seen_until = changed.is_ok().then_some(now);
    let states: Vec<BotState> = changed.into_iter().chain(due).flatten().collect();
    env.news.holds_are(env.clock.now(), before, &states);
    Some(Refreshed {
        epoch,
        states,
        mark,
        seen_until,
    })
}

/// The stored states of bots that are due, or that somebody has changed.
#[derive(Message)]
#[rtype(result = "()")]
struct Refreshed {
    /// The configuration at the time of asking.
    epoch: u64,
    states: Vec<BotState>,
    /// When the read began.
    mark: Mark,
    /// The same by the store's clock, if changes could be read.
    seen_until: Option<Instant>,
}

impl Handler<Refreshed> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, refreshed: Refreshed, ctx: &mut Self::Context) {
        if refreshed.epoch != self.epoch {
            return;
        }
        if let Some(now) = refreshed.seen_until {
            self.changes_since = now - OVERLAP;
        }
        for state in refreshed.states {
            self.take_up(state, refreshed.mark);
        }
        self.tick(ctx);
    }
}

impl Handler<Reload> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, _: Reload, ctx: &mut Self::Context) {
        self.uncertain = true;
        self.load(ctx);
    }
}
