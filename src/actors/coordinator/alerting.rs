//! Alerts as operators see them: a test of the channels, and what is open.

use std::sync::Arc;

use actix::{Handler, ResponseFuture};

use super::CoordinatorActor;
use crate::actors::{
    alerting::{find, test},
    messages::{AlertTested, AlertsFound, ControlError, FindAlerts, TestAlert},
};

impl Handler<TestAlert> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<AlertTested>, ControlError>>;

    fn handle(&mut self, TestAlert { channel }: TestAlert, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        let inner = Arc::clone(&env);
        let tested = env
            .runtime
            .spawn(async move { test(&inner, channel.as_deref()).await });
        Box::pin(async move {
            let broke_off = |_| ControlError::Unavailable("testing the channels broke off".into());
            tested.await.map_err(broke_off)?
        })
    }
}

impl Handler<FindAlerts> for CoordinatorActor {
    type Result = ResponseFuture<Result<AlertsFound, ControlError>>;

    fn handle(&mut self, FindAlerts { limit }: FindAlerts, _: &mut Self::Context) -> Self::Result {
        let env = Arc::clone(&self.env);
        Box::pin(async move { find(&env, limit).await })
    }
}
