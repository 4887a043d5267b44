//! The breakers as operators see them: closed by hand, and listed.

use std::{collections::BTreeMap, sync::Arc};

use actix::{Handler, ResponseFuture};

use super::CoordinatorActor;
use crate::{
    actors::{
        env::Env,
        messages::{ControlError, ResetBreaker},
    },
    domain::breaker::Breaker,
};

/// Those of every bot's downstream, and those that were heard of before; by name.
pub(super) fn known(env: &Env) -> BTreeMap<String, Breaker> {
    let mut known = env.breakers_of_bots();
    known.extend(env.breakers.all());
    known
}

impl Handler<ResetBreaker> for CoordinatorActor {
    type Result = ResponseFuture<Result<(), ControlError>>;

    fn handle(&mut self, ResetBreaker(name): ResetBreaker, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move {
            if !known(&env).contains_key(&name) {
                return Err(ControlError::UnknownDependency(name));
            }
            env.tell_of(env.breakers.reset(&name));
            Ok(())
        })
    }
}
