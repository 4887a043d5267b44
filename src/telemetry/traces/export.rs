//! Between the queue of ended spans and the collector: what is lost is counted, and an outage is logged once.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
};

use super::transport::Trouble;

/// Spans, from their end on.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    ended: AtomicU64,
    delivered: AtomicU64,
}

impl Counts {
    /// Those that ended and have not reached the collector.
    pub(super) fn missing(&self) -> u64 {
        let delivered = self.0.delivered.load(Ordering::Relaxed);
        let ended = self.0.ended.load(Ordering::Relaxed);
        ended.saturating_sub(delivered)
    }
}

/// A bounded queue of ended spans; what does not fit is lost, and nobody waits.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) queue: BatchSpanProcessor,
    pub(super) counts: Counts,
}

impl SpanProcessor for Counted {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.queue.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        self.counts.0.ended.fetch_add(1, Ordering::Relaxed);
        self.queue.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// An exporter whose outages are logged when they begin and when they end, and not with every batch.
pub(super) struct Watched<E> {
    inner: E,
    trouble: Trouble,
    counts: Counts,
    away: AtomicBool,
    /// Of this outage.
    lost: AtomicU64,
}

impl<E> Watched<E> {
    pub(super) fn new(inner: E, trouble: Trouble, counts: Counts) -> Self {
        Self {
            inner,
            trouble,
            counts,
            away: AtomicBool::new(false),
            lost: AtomicU64::new(0),
        }
    }

    fn delivered(&self, spans: u64) {
        self.counts.0.delivered.fetch_add(spans, Ordering::Relaxed);
        if self.away.swap(false, Ordering::Relaxed) {
            let lost = self.lost.swap(0, Ordering::Relaxed);
            tracing::info!(lost, "the collector takes traces again");
        }
    }

    fn refused(&self, spans: u64, otherwise: &str) {
        self.lost.fetch_add(spans, Ordering::Relaxed);
        let trouble = self.trouble.take();
        if !self.away.swap(true, Ordering::Relaxed) {
            let error = if trouble.is_empty() {
                otherwise
            } else {
                &trouble
            };
            tracing::warn!(
                error,
                "the collector does not take traces; until it does, they are lost"
            );
        }
    }
}

impl<E: SpanExporter> SpanExporter for Watched<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let exported = self.inner.export(batch).await;
        match &exported {
            Ok(()) => self.delivered(spans),
            Err(error) => self.refused(spans, &error.to_string()),
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E> fmt::Debug for Watched<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}
