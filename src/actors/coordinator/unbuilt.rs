//! Answers that are still to come.

use std::sync::Arc;

use actix::{Handler, MessageResult, ResponseFuture};
use serde_json::Value;

use super::CoordinatorActor;
use crate::{
    actors::messages::{
        AskHealth, HealthReport, NoteAudit, ReloadConfiguration, ReloadError, ShowConfiguration,
    },
    domain::health::Health,
};

impl Handler<ReloadConfiguration> for CoordinatorActor {
    type Result = ResponseFuture<Result<Value, ReloadError>>;

    fn handle(&mut self, _: ReloadConfiguration, _: &mut Self::Context) -> Self::Result {
        Box::pin(async { Err(ReloadError::Unavailable("not built yet".into())) })
    }
}

impl Handler<ShowConfiguration> for CoordinatorActor {
    type Result = MessageResult<ShowConfiguration>;

    fn handle(&mut self, _: ShowConfiguration, _: &mut Self::Context) -> Self::Result {
        MessageResult(Value::Null)
    }
}

impl Handler<NoteAudit> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, _: NoteAudit, _: &mut Self::Context) -> Self::Result {}
}

impl Handler<AskHealth> for CoordinatorActor {
    type Result = ResponseFuture<HealthReport>;

    fn handle(&mut self, _: AskHealth, _: &mut Self::Context) -> Self::Result {
        Box::pin(async {
            HealthReport {
                whole: Health::Unhealthy("not built yet".into()),
                parts: Arc::default(),
            }
        })
    }
}
