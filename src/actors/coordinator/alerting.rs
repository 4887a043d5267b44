//! Alerts as operators see them. Without a channel nobody can be told, and nothing is kept of what would have been.

use actix::{Handler, ResponseFuture};

use super::CoordinatorActor;
use crate::actors::messages::{AlertTested, AlertsFound, ControlError, FindAlerts, TestAlert};

impl Handler<TestAlert> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<AlertTested>, ControlError>>;

    fn handle(&mut self, test: TestAlert, _: &mut Self::Context) -> Self::Result {
        let refusal = test.channel.map(ControlError::UnknownChannel);
        Box::pin(async move { Err(refusal.unwrap_or(ControlError::NoChannels)) })
    }
}

impl Handler<FindAlerts> for CoordinatorActor {
    type Result = ResponseFuture<Result<AlertsFound, ControlError>>;

    fn handle(&mut self, _: FindAlerts, _: &mut Self::Context) -> Self::Result {
        let nothing = AlertsFound {
            open: Vec::new(),
            deliveries: Vec::new(),
        };
        Box::pin(async move { Ok(nothing) })
    }
}
