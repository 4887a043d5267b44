//! Answers that are still to come.

use std::sync::Arc;

use actix::{Handler, ResponseFuture};

use super::CoordinatorActor;
use crate::{
    actors::messages::{
        AddContent, BotCard, Bots, ControlError, DescribeBot, FindAudit, FindContent, FindReplicas,
        FindRun, FindRuns, ListBots, RemoveContent, ResumeAll, StartEvent,
    },
    domain::{
        audit::AuditRow, bot::BotName, content::StoredItem, ledger::LedgerRow, post::Post,
        replica::ReplicaRow, run::ExecutionId,
    },
};

impl Handler<ResumeAll> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<BotName>, ControlError>>;

    fn handle(&mut self, _: ResumeAll, _: &mut Self::Context) -> Self::Result {
        Box::pin(async { Err(ControlError::Unavailable("not built yet".into())) })
    }
}

impl Handler<StartEvent> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<(BotName, ExecutionId)>, ControlError>>;

    fn handle(&mut self, _: StartEvent, _: &mut Self::Context) -> Self::Result {
        Box::pin(async { Err(ControlError::Unavailable("not built yet".into())) })
    }
}

impl Handler<FindRuns> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<(LedgerRow, Vec<Post>)>, ControlError>>;

    fn handle(&mut self, _: FindRuns, _: &mut Self::Context) -> Self::Result {
        Box::pin(async { Err(ControlError::Unavailable("not built yet".into())) })
    }
}

impl Handler<FindRun> for CoordinatorActor {
    type Result = ResponseFuture<Result<(LedgerRow, Vec<Post>), ControlError>>;

    fn handle(&mut self, _: FindRun, _: &mut Self::Context) -> Self::Result {
        Box::pin(async { Err(ControlError::Unavailable("not built yet".into())) })
    }
}

impl Handler<FindAudit> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<AuditRow>, ControlError>>;

    fn handle(&mut self, _: FindAudit, _: &mut Self::Context) -> Self::Result {
        Box::pin(async { Err(ControlError::Unavailable("not built yet".into())) })
    }
}

impl Handler<FindReplicas> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<ReplicaRow>, ControlError>>;

    fn handle(&mut self, _: FindReplicas, _: &mut Self::Context) -> Self::Result {
        Box::pin(async { Err(ControlError::Unavailable("not built yet".into())) })
    }
}

impl Handler<FindContent> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<StoredItem>, ControlError>>;

    fn handle(&mut self, _: FindContent, _: &mut Self::Context) -> Self::Result {
        Box::pin(async { Err(ControlError::Unavailable("not built yet".into())) })
    }
}

impl Handler<AddContent> for CoordinatorActor {
    type Result = ResponseFuture<Result<Vec<i64>, ControlError>>;

    fn handle(&mut self, _: AddContent, _: &mut Self::Context) -> Self::Result {
        Box::pin(async { Err(ControlError::Unavailable("not built yet".into())) })
    }
}

impl Handler<RemoveContent> for CoordinatorActor {
    type Result = ResponseFuture<Result<u64, ControlError>>;

    fn handle(&mut self, _: RemoveContent, _: &mut Self::Context) -> Self::Result {
        Box::pin(async { Err(ControlError::Unavailable("not built yet".into())) })
    }
}

impl Handler<ListBots> for CoordinatorActor {
    type Result = Bots;

    fn handle(&mut self, _: ListBots, _: &mut Self::Context) -> Self::Result {
        Bots {
            version: 0,
            cards: Arc::default(),
        }
    }
}

impl Handler<DescribeBot> for CoordinatorActor {
    type Result = Result<Arc<BotCard>, ControlError>;

    fn handle(&mut self, _: DescribeBot, _: &mut Self::Context) -> Self::Result {
        Err(ControlError::Unavailable("not built yet".into()))
    }
}
