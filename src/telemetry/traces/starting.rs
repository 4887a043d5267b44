//! Switching traces on, once a process, and sending what waits at its end.

use std::{collections::HashMap, time::Duration};

use opentelemetry::{InstrumentationScope, KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{Compression, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    resource::TelemetryResourceDetector,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider},
};
use secrecy::ExposeSecret;

use super::{
    Settings,
    export::{Counted, Counts, Watched},
    ids::Ids,
    settings::Queue,
    span::TRACER,
    transport::{Transport, Trouble},
};

/// How long the end of the process waits for the collector.
const FLUSHING: Duration = Duration::from_secs(4);

/// Traces are made as long as this lives. Dropping it sends what waits, as long as that takes at most 4 s.
pub struct Traces {
    provider: SdkTracerProvider,
    counts: Counts,
}

/// Switches traces on; `instance` is the name of this process among its replicas.
///
/// # Errors
/// There is no HTTP client or thread to be had, or traces are on already.
pub fn start(settings: &Settings, instance: &str) -> Result<Traces, String> {
    let (trouble, counts) = (Trouble::default(), Counts::default());
    let exporter = exporter(settings, trouble.clone())?;
    let exporter = Watched::new(exporter, trouble, counts.clone());
    let queue = BatchSpanProcessor::builder(exporter)
        .with_batch_config(batches(&settings.queue))
        .build();
    let counted = Counted {
        queue,
        counts: counts.clone(),
    };
    let provider = SdkTracerProvider::builder()
        .with_span_processor(counted)
        .with_id_generator(Ids::default())
        .with_sampler(settings.sampler.clone())
        .with_resource(resource(settings, instance))
        .build();
    let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"));
    let scope = scope.with_version(env!("CARGO_PKG_VERSION")).build();
    let tracer = provider.tracer_with_scope(scope);
    TRACER.set(tracer).map_err(|_| "traces are on already")?;
    tracing::info!(endpoint = settings.shown_endpoint(), "traces are sent");
    Ok(Traces { provider, counts })
}

fn exporter(settings: &Settings, trouble: Trouble) -> Result<SpanExporter, String> {
    let certificates = &settings.certificates;
    let transport = Transport::new(&settings.endpoint, settings.timeout, certificates, trouble)?;
    let headers = settings.headers.iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(transport)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(settings.endpoint.as_str())
        .with_timeout(settings.timeout)
        .with_headers(headers.collect::<HashMap<_, _>>());
    if settings.compressed {
        exporter = exporter.with_compression(Compression::Gzip);
    }
    exporter.build().map_err(|error| error.to_string())
}

fn batches(queue: &Queue) -> opentelemetry_sdk::trace::BatchConfig {
    BatchConfigBuilder::default()
        .with_max_queue_size(queue.longest)
        .with_max_export_batch_size(queue.batch)
        .with_scheduled_delay(queue.delay)
        .build()
}

/// What is configured wins over what is known.
fn resource(settings: &Settings, instance: &str) -> Resource {
    let configured = settings.resource.iter();
    let configured = configured.map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", instance.to_owned()))
        .with_attributes(configured)
        .with_attribute(KeyValue::new("service.name", settings.service.clone()))
        .build()
}

impl Drop for Traces {
    fn drop(&mut self) {
        // What has not arrived is counted below, whatever the reason.
        let _ = self.provider.shutdown_with_timeout(FLUSHING);
        let lost = self.counts.missing();
        if lost > 0 {
            tracing::warn!(lost, "spans did not reach the collector");
        }
    }
}
