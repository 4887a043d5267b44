//! Spans of a program that was built without traces: nothing, at no cost.

use std::{borrow::Cow, future::Future};

use super::{Attribute, TraceContext};

/// When something began.
#[derive(Clone, Copy, Debug)]
pub struct Moment;

impl Moment {
    /// This moment.
    #[must_use]
    pub const fn now() -> Self {
        Self
    }
}

/// How a span begins that has no parent in this process.
pub struct Start<'a> {
    /// Since when.
    pub since: Moment,
    /// The caller's.
    pub parent: Option<&'a TraceContext>,
    /// What the trace is named after.
    pub seed: Option<&'a str>,
}

/// Nothing.
#[derive(Clone, Debug)]
pub struct Span;

impl Span {
    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self
    }

    /// They are not.
    #[must_use]
    pub const fn are_made() -> bool {
        false
    }

    /// Nothing.
    #[must_use]
    pub const fn current() -> Self {
        Self
    }

    /// Nothing.
    #[must_use]
    pub fn first(_: impl Into<Cow<'static, str>>, _: Start<'_>) -> Self {
        Self
    }

    /// Nothing.
    #[must_use]
    pub const fn server(_: &'static str, _: Option<&TraceContext>) -> Self {
        Self
    }

    /// Nothing.
    #[must_use]
    pub fn child(&self, _: impl Into<Cow<'static, str>>) -> Self {
        Self
    }

    /// Nothing.
    #[must_use]
    pub fn child_since(&self, _: impl Into<Cow<'static, str>>, _: Moment) -> Self {
        Self
    }

    /// Nothing.
    #[must_use]
    pub fn client(&self, _: impl Into<Cow<'static, str>>) -> Self {
        Self
    }

    /// It does not.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        false
    }

    /// Says nothing.
    pub fn set(&self, _: &'static str, _: impl Into<Attribute>) {}

    /// Says nothing.
    pub const fn fail(&self, _: &str) {}

    /// Nothing is over.
    pub const fn end(&self) {}

    /// Does work.
    pub fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        work
    }

    /// Nothing.
    #[must_use]
    pub const fn context(&self) -> Option<TraceContext> {
        None
    }

    /// Nothing.
    #[must_use]
    pub const fn trace_id(&self) -> Option<String> {
        None
    }
}

/// None.
pub(in crate::telemetry) const fn names() -> Option<(String, String)> {
    None
}
