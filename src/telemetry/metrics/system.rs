//! The process and its machine.

use prometheus::{Gauge, IntGauge};

use super::Catalogue;

/// Families that the system collector sets; clones share them.
#[derive(Clone)]
pub struct SystemMetrics {
    /// `memory_usage_bytes`.
    pub memory: IntGauge,
    /// `cpu_usage_percent`.
    pub cpu: Gauge,
    /// `disk_free_bytes`.
    pub disk: IntGauge,
    /// `schema_version`.
    pub schema: IntGauge,
}

impl SystemMetrics {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        Self {
            memory: catalogue.gauge(
                "memory_usage_bytes",
                "Resident memory of this process, in bytes; read every 5 seconds.",
            ),
            cpu: catalogue.real(
                "cpu_usage_percent",
                "Processor time of this process over the last 5 seconds, in percent of one core.",
            ),
            disk: catalogue.gauge(
                "disk_free_bytes",
                "Space that is left for this process where the database file is (else in the working directory), in bytes; read every 5 seconds.",
            ),
            schema: catalogue.gauge(
                "schema_version",
                "Number of the newest step of the schema that the database has.",
            ),
        }
    }
}
