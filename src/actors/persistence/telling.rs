//! What listeners are told of, and lists show, follows from the stored fact: here is where the store's answers pass,
//! whoever asked.

use crate::{
    actors::{alarms::Alarm, counting, env::Env, news::Happening},
    domain::{outcome::Status, post::PostStatus},
    store::{Finish, Rescued, Write, Written},
};

/// Tells what the store has just taken.
pub(super) fn tell(env: &Env, write: &Write, answer: &Written) {
    match (write, answer) {
        (
            Write::Finish(end),
            Written::Finished {
                hold,
                consecutive_failures,
            },
        ) => {
            let failures = *consecutive_failures;
            env.board.finished(&end.bot, failures, end.success());
            env.news.tell(end.completed_at, ended(end));
            counting::run_ended(&env.metrics, end);
            let counted = end.counts().then_some(failures);
            env.alarms.tell(end.completed_at, run_ended(end, counted));
            env.news.hold_is(env.clock.now(), &end.bot, hold.as_ref());
        }
        (Write::Finish(end), Written::Lost) if is_result(end) => {
            tracing::warn!(
                actor = %end.bot, execution_id = %end.execution,
                "the result is refused: another process has taken the run over"
            );
            env.metrics.downstreams.fenced.inc();
        }
        (Write::StorePost(_), Written::Post(post)) if post.status == PostStatus::Pending => {
            env.lanes.stored(post);
        }
        (Write::MarkPost(mark), _) if mark.status != PostStatus::Pending => {
            env.lanes.fate_is_stored(mark.id);
        }
        (Write::Start(start), Written::Held(hold)) => {
            env.news.hold_is(env.clock.now(), &start.bot, Some(hold));
        }
        (_, Written::State(state) | Written::Stale(Some(state))) if !state.removed => {
            let hold = state.hold.as_ref();
            env.news.hold_is(env.clock.now(), &state.bot, hold);
        }
        _ => {}
    }
}

/// An end that says only that a run has none is written when in doubt, also behind the run's own.
fn is_result(end: &Finish) -> bool {
    end.outcome.status != Status::Abandoned
}

/// Counts what the store's transactions have just made true, and passes it on.
pub(in crate::actors) fn tell_facts(env: &Env) {
    for fact in env.store.facts() {
        counting::fact(&env.metrics, &fact);
        env.alarms.tell(env.clock.now(), Alarm::Fact(fact));
    }
}

fn run_ended(end: &Finish, consecutive_failures: Option<u32>) -> Alarm {
    Alarm::RunEnded {
        bot: end.bot.clone(),
        execution: end.execution,
        status: end.outcome.status,
        error: end.outcome.error.clone(),
        consecutive_failures,
    }
}

fn ended(end: &Finish) -> Happening {
    Happening::RunEnded {
        bot: end.bot.clone(),
        execution: end.execution,
        status: end.outcome.status,
        reason: end.outcome.gate.as_deref().map(Into::into),
        error: end.outcome.error.clone(),
    }
}

/// Tells of the runs of dead processes that this one has closed.
pub(super) fn tell_of_rescued(env: &Env, rescued: &[Rescued]) {
    for one in rescued {
        if let Rescued::Abandoned(bot, execution) = one {
            let ended = Happening::RunEnded {
                bot: bot.clone(),
                execution: *execution,
                status: Status::Abandoned,
                reason: None,
                error: Some("its process ended before the run did".into()),
            };
            env.news.tell(env.clock.now(), ended);
        }
    }
}
