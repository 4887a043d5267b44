//! A span, or nothing.
//!
//! Clones are the same span. It ends with [`Span::end`], or when the last clone goes, as that of work that panics does.

use std::{borrow::Cow, future::Future, sync::OnceLock, time::SystemTime};

use futures::future::Either;
use opentelemetry::{
    Context, KeyValue, Value,
    context::FutureExt,
    time,
    trace::{
        SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
        TraceState, Tracer,
    },
};
use opentelemetry_sdk::trace::SdkTracer;

use super::{Attribute, TraceContext, ids};

/// What makes spans, from [`super::start`] on.
pub(super) static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// The longest text of a span, in bytes.
const LONGEST: usize = 4096;

/// When something that may become a span began.
#[derive(Clone, Copy, Debug)]
pub struct Moment(Option<SystemTime>);

impl Moment {
    /// This moment; nothing is read while traces are off.
    #[must_use]
    pub fn now() -> Self {
        Self(TRACER.get().map(|_| time::now()))
    }
}

/// How a span begins that has no parent in this process.
pub struct Start<'a> {
    /// Since when.
    pub since: Moment,
    /// The caller's.
    pub parent: Option<&'a TraceContext>,
    /// What the trace is named after if there is no caller; random without it.
    pub seed: Option<&'a str>,
}

/// One span.
#[derive(Clone, Debug)]
pub struct Span(Option<Context>);

impl Span {
    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Whether spans are made at all.
    #[must_use]
    pub fn are_made() -> bool {
        TRACER.get().is_some()
    }

    /// The one that the code is in.
    #[must_use]
    pub fn current() -> Self {
        let active = |context: &Context| context.has_active_span().then(|| context.clone());
        Self(TRACER.get().and_then(|_| Context::map_current(active)))
    }

    /// The first of this process in its trace.
    #[must_use]
    pub fn first(name: impl Into<Cow<'static, str>>, start: Start<'_>) -> Self {
        let parent = start.parent.map(remote);
        let parent = parent.map_or_else(Context::new, |parent| {
            Context::new().with_remote_span_context(parent)
        });
        let begin = || begin(&parent, SpanKind::Internal, name.into(), start.since);
        match start.seed {
            Some(seed) => ids::named(seed, begin),
            None => begin(),
        }
    }

    /// A request that this process answers.
    #[must_use]
    pub fn server(name: &'static str, parent: Option<&TraceContext>) -> Self {
        let parent = parent.map(remote);
        let parent = parent.map_or_else(Context::new, |parent| {
            Context::new().with_remote_span_context(parent)
        });
        begin(&parent, SpanKind::Server, name.into(), Moment(None))
    }

    /// A part of it that begins now.
    #[must_use]
    pub fn child(&self, name: impl Into<Cow<'static, str>>) -> Self {
        self.part(SpanKind::Internal, name, Moment(None))
    }

    /// A part of it that has begun before.
    #[must_use]
    pub fn child_since(&self, name: impl Into<Cow<'static, str>>, since: Moment) -> Self {
        self.part(SpanKind::Internal, name, since)
    }

    /// A request of it to somebody else.
    #[must_use]
    pub fn client(&self, name: impl Into<Cow<'static, str>>) -> Self {
        self.part(SpanKind::Client, name, Moment(None))
    }

    /// Of what is not recorded the parts are not either.
    fn part(&self, kind: SpanKind, name: impl Into<Cow<'static, str>>, since: Moment) -> Self {
        match &self.0 {
            Some(parent) if parent.span().is_recording() => begin(parent, kind, name.into(), since),
            _ => self.clone(),
        }
    }

    /// Whether what is said about it goes anywhere.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        let context = self.0.as_ref();
        context.is_some_and(|context| context.span().is_recording())
    }

    /// Says something about it, once for each key.
    pub fn set(&self, key: &'static str, value: impl Into<Attribute>) {
        if let Some(context) = self.0.as_ref().filter(|_| self.is_recording()) {
            let attribute = KeyValue::new(key, value_of(value.into()));
            context.span().set_attribute(attribute);
        }
    }

    /// It has not done what it was for.
    pub fn fail(&self, error: &str) {
        if let Some(context) = self.0.as_ref().filter(|_| self.is_recording()) {
            let text = bounded(error.to_owned().into()).into_owned();
            context.span().set_status(Status::error(text));
        }
    }

    /// It is over.
    pub fn end(&self) {
        if let Some(context) = &self.0 {
            context.span().end();
        }
    }

    /// Does work in it.
    pub fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        match &self.0 {
            Some(context) => Either::Left(work.with_context(context.clone())),
            None => Either::Right(work),
        }
    }

    /// What whoever goes on with the trace is told.
    #[must_use]
    pub fn context(&self) -> Option<TraceContext> {
        let span = self.0.as_ref()?.span();
        let context = span.span_context();
        context.is_valid().then(|| TraceContext {
            trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(context.span_id().to_bytes()),
            flags: context.trace_flags().to_u8(),
            state: context.trace_state().header(),
        })
    }

    /// The name of its trace, if that is recorded.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        let context = self.0.as_ref().filter(|_| self.is_recording())?;
        Some(context.span().span_context().trace_id().to_string())
    }
}

fn begin(parent: &Context, kind: SpanKind, name: Cow<'static, str>, since: Moment) -> Span {
    let begun = TRACER.get().map(|tracer| {
        let builder = SpanBuilder {
            span_kind: Some(kind),
            name: bounded(name),
            start_time: since.0,
            ..SpanBuilder::default()
        };
        parent.with_span(tracer.build_with_context(builder, parent))
    });
    Span(begun)
}

fn remote(caller: &TraceContext) -> SpanContext {
    let members = caller.state.split(',').filter_map(|it| it.split_once('='));
    SpanContext::new(
        TraceId::from(caller.trace_id),
        SpanId::from(caller.span_id),
        TraceFlags::new(caller.flags),
        true,
        TraceState::from_key_value(members).unwrap_or_default(),
    )
}

fn value_of(attribute: Attribute) -> Value {
    match attribute {
        Attribute::Text(text) => match bounded(text) {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        },
        Attribute::Number(number) => number.into(),
        Attribute::Float(number) => number.into(),
    }
}

fn bounded(text: Cow<'static, str>) -> Cow<'static, str> {
    if text.len() <= LONGEST {
        return text;
    }
    let end = text.floor_char_boundary(LONGEST);
    let kept = text.get(..end).unwrap_or_default();
    format!("{kept}…").into()
}

/// The names of trace and span that the code is in, for the log.
pub(in crate::telemetry) fn names() -> Option<(String, String)> {
    TRACER.get()?;
    Context::map_current(|context| {
        let span = context.span();
        let context = span.span_context();
        let names = || {
            (
                context.trace_id().to_string(),
                context.span_id().to_string(),
            )
        };
        context.is_valid().then(names)
    })
}
