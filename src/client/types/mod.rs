//! What is asked and what is answered. Answers may have more fields than these; requests are made with
//! `..Default::default()`, so that they may get more.

mod actor;
mod alert;
mod execution;
mod operations;
mod requests;

pub use actor::{Actor, ActorStatus, Hold, Resumed, Triggered};
pub use alert::{AlertDelivery, AlertTest, AlertTests, Alerts, Incident};
pub use execution::{Execution, SentPost, SkillRun, Status};
pub use operations::{
    ActorReport, Added, AuditEntry, BotChange, Breaker, BreakerReset, Cancelling, ComponentHealth,
    ContentItem, EventAccepted, Health, KnowledgeTable, Probe, Reload, ReloadPlan, Removed,
    Replica, Started, Supervision,
};
pub use requests::{
    ActorFilter, AlertFilter, AuditFilter, ContentFilter, Event, ExecutionFilter, NewItem,
    PauseRequest, PostFilter, TriggerRequest,
};
