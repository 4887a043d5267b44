//! The HTTP scope: probes, the control API, the stream, metrics.
//!
//! Handlers are a few lines: they ask the coordinator through the [`Door`] with a deadline, and show its answer. Statuses
//! are chosen in [`error`] only; who may call what is decided by the extractors of [`auth`], before a body is read.

mod answering;
pub mod audit;
pub mod auth;
pub mod body;
pub mod error;
pub mod listeners;
pub mod moment;
pub mod paging;
mod params;
pub mod press;
mod rate;
pub mod request_id;
pub mod routes;
mod spans;
pub mod sse;
pub mod stalled;
mod unrouted;
pub mod view;

use crate::{actors::door::Door, clock::Clock, telemetry::metrics::Metrics};

/// What handlers are given (`web::Data<Shared>`).
#[derive(Clone)]
pub struct Shared {
    /// To the actors.
    pub door: Door,
    /// Who may call what.
    pub guard: auth::Guard,
    /// Whose events are taken without a token.
    pub signatures: auth::signature::Signatures,
    /// What is counted.
    pub metrics: Metrics,
    /// The page that scrapers get.
    pub press: press::Press,
    /// The process's own time of day, which is there before any database is.
    pub clock: Clock,
}
