//! The breakers as operators see them: closed by hand, and listed.

use std::{collections::BTreeMap, sync::Arc};

use actix::{Handler, ResponseFuture};

use super::CoordinatorActor;
use crate::{
    actors::{
        breakers::Downstream,
        env::Env,
        messages::{ControlError, ResetBreaker},
    },
    domain::breaker::Breaker,
};

/// Those of every bot's downstream, and those that were heard of before; by name.
pub(super) fn known(env: &Env) -> BTreeMap<String, Breaker> {
    let bots = &env.in_force().bots;
    let downstreams = bots.values().filter_map(|bot| Downstream::of(bot));
    let names = downstreams.flat_map(|downstream| downstream.names().map(str::to_owned));
    let mut known: BTreeMap<String, Breaker> =
        names.map(|name| (name, Breaker::default())).collect();
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
