//! The HTTP scope: probes, the control API, the stream, metrics.
//!
//! Handlers are a few lines: they ask the coordinator through the [`Door`] with a deadline, and show its answer. Statuses
//! are chosen in [`error`] only; who may call what is decided by the extractors of [`auth`], before a body is read.

pub mod auth;
pub mod body;
pub mod error;
pub mod moment;
pub mod paging;
pub mod routes;
pub mod upload;
pub mod view;

use crate::actors::door::Door;

/// What handlers are given (`web::Data<Shared>`).
#[derive(Clone)]
pub struct Shared {
    /// To the actors.
    pub door: Door,
    /// Who may call what.
    pub guard: auth::Guard,
}
