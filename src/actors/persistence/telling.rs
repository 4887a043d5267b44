//! What listeners are told of follows from the stored fact: here is where the store's answers pass, whoever asked.

use crate::{
    actors::{env::Env, news::Happening},
    domain::outcome::Status,
    store::{Finish, Rescued, Write, Written},
};

/// Tells what the store has just taken.
pub(super) fn tell(env: &Env, write: &Write, answer: &Written) {
    match (write, answer) {
        (Write::Finish(end), Written::Finished { hold, .. }) => {
            env.news.tell(end.completed_at, ended(end));
            env.news.hold_is(env.clock.now(), &end.bot, hold.as_ref());
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
