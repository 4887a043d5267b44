//! Traces: one a run, sent over OTLP (cargo feature `otel`). Off unless [`start`] was called: then no span is made, and
//! nothing of what would be in one.
//!
//! Spans are made here and not taken from the log's: what is logged (`RUST_LOG`) decides nothing about traces, a span may
//! begin before it is known whether there will be one, and it ends where its work has an end, which may be another
//! thread. A [`Span`] that is not there is as good as one that is; nobody has to ask.

#[cfg(not(feature = "otel"))]
mod absent;
mod attribute;
mod context;
#[cfg(feature = "otel")]
mod export;
#[cfg(feature = "otel")]
mod ids;
#[cfg(feature = "otel")]
mod settings;
#[cfg_attr(not(feature = "otel"), path = "off.rs")]
mod span;
#[cfg(feature = "otel")]
mod starting;
#[cfg(feature = "otel")]
mod transport;

#[cfg(not(feature = "otel"))]
pub use self::absent::{Lookup, Settings, Traces, start};
pub(in crate::telemetry) use self::span::names;
pub use self::{
    attribute::Attribute,
    context::TraceContext,
    span::{Moment, Span, Start},
};
#[cfg(feature = "otel")]
pub use self::{
    settings::{Lookup, Settings},
    starting::{Traces, start},
};
