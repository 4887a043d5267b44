//! Reading back from the store: at the start, at each reconciliation, and when something may have been missed.

use std::sync::Arc;

use actix::{AsyncContext, Context, Handler, Message};

use super::{SchedulerActor, claims::Reserved};
use crate::{
    actors::{env::Env, messages::Reload, supervision::beside},
    domain::{
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

/// A trigger that nobody has taken up after this time is nobody's.
const SETTLED_AFTER: chrono::TimeDelta = chrono::TimeDelta::seconds(30);

impl SchedulerActor {
    /// Reads all states and this process's claims; asks again until the store answers.
    pub(super) fn load(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.loading, true) {
            return;
        }
        // What becomes uncertain from now on is not answered by this read.
        self.uncertain = false;
        let (env, me, epoch) = (Arc::clone(&self.env), ctx.address(), self.epoch);
        beside(&ctx.address(), async move {
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

    /// What other replicas gave back, held or resumed concerns this one as soon as the bot is due.
    pub(super) fn refresh(&mut self, ctx: &mut Context<Self>) {
        if self.draining || !self.loaded {
            return;
        }
        let (env, me, epoch) = (Arc::clone(&self.env), ctx.address(), self.epoch);
        beside(&ctx.address(), async move {
            let (store, until) = (Arc::clone(&env.store), env.clock.now() + SOON);
            let before = env.news.before_look();
            if let Ok(Ok(states)) = env
                .runtime
                .spawn(async move { store.due(until).await })
                .await
            {
                env.news.holds_are(env.clock.now(), before, &states);
                let _ = me.send(Refreshed(epoch, states)).await;
            }
        });
    }

    fn take_up(&mut self, state: BotState) {
        let name = state.bot.clone();
        match self.agenda.get(&name) {
            Some(_) if !self.agenda.is_at_rest(&name) => {}
            Some(_) => self.renew(state),
            None => {
                if let Some(bot) = self.env.bot(&name) {
                    self.agenda.add(bot, state, self.epoch);
                }
            }
        }
    }

    /// A row of this process that no living actor holds: a claim goes on waiting, a run that started is over.
    ///
    /// Whoever lets go of a claim has queued its end before: an end queued here comes after it and is void.
    fn adopt(&mut self, row: LiveRow) {
        if self.env.runs.has(row.claim.execution) {
            return;
        }
        if self.env.bot(&row.claim.bot).is_none() {
            return self.let_go(&row);
        }
        match row.started_at {
            Some(started_at) => {
                let error = "the bot's actor ended before the run did";
                let outcome = AttemptOutcome::broken(Status::Abandoned, error);
                self.env.queue.keep(Write::Finish(Box::new(Finish {
                    execution: row.claim.execution,
                    bot: row.claim.bot,
                    started_at,
                    completed_at: self.env.clock.now(),
                    attempt: row.claim.attempt,
                    outcome,
                    metadata: serde_json::json!({}),
                    max_consecutive_failures: self.env.max_consecutive_failures(),
                })));
            }
            None if is_on_its_way(&row) => {
                // A trigger that has just been stored is about to reach its actor.
                if self.env.clock.now() - row.claim.due < SETTLED_AFTER {
                    return;
                }
                self.env.queue.keep(Write::Release {
                    execution: row.claim.execution,
                });
            }
            None => self.adopt_claim(row),
        }
    }

    /// A trigger that was taken over and whose bot the configuration has dropped meanwhile.
    fn let_go(&self, row: &LiveRow) {
        if row.started_at.is_none() && row.claim.trigger != Trigger::Schedule {
            let execution = row.claim.execution;
            self.env.queue.keep(Write::Release { execution });
        }
    }

    /// A claim that nobody holds waits here again; whether it is still good, the store says at the start.
    fn adopt_claim(&mut self, row: LiveRow) {
        let mut claim = row.claim;
        let Some(entry) = self.agenda.get(&claim.bot) else {
            return;
        };
        if entry.pending || self.agenda.claims().has(claim.execution) {
            return;
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
    }
}

/// Whether a trigger was stored by this process, which hands it to its actor; one that was taken over from a dead process
/// is the scheduler's like any claim.
fn is_on_its_way(row: &LiveRow) -> bool {
    let claim = &row.claim;
    claim.trigger != Trigger::Schedule
        && claim.attempt == 1
        && row.metadata.get("rescued_from").is_none()
}

async fn read(env: &Arc<Env>, epoch: u64) -> Result<Loaded, StoreError> {
    let inner = Arc::clone(env);
    let work = async move {
        let before = inner.news.before_look();
        let states = inner.store.states().await?;
        inner.news.holds_are(inner.clock.now(), before, &states);
        let live = inner.store.live(&inner.me.id).await?;
        Ok(Loaded {
            epoch,
            states,
            live,
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
}

impl Handler<Loaded> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, loaded: Loaded, ctx: &mut Self::Context) {
        let Loaded {
            epoch,
            states,
            live,
        } = loaded;
        self.loading = false;
        if epoch != self.epoch {
            return self.load(ctx);
        }
        for state in states {
            self.take_up(state);
        }
        live.into_iter().for_each(|row| self.adopt(row));
        if !self.loaded {
            self.loaded = true;
            self.env.vitals.set_loaded(true);
            self.account_for_closed(ctx);
        }
        self.tick(ctx);
    }
}

/// The stored states of bots that are due.
#[derive(Message)]
#[rtype(result = "()")]
struct Refreshed(u64, Vec<BotState>);

impl Handler<Refreshed> for SchedulerActor {
    type Result = ();

    fn handle(&mut self, Refreshed(epoch, states): Refreshed, ctx: &mut Self::Context) {
        if epoch != self.epoch {
            return;
        }
        for state in states {
            self.take_up(state);
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
