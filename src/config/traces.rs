//! `traces`: spans for an OpenTelemetry collector.

use serde::Serialize;

use super::section::Section;

/// `traces` (new in this project)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TracesConfig {
    /// Address of a collector that takes OTLP over HTTP, without `/v1/traces`; empty: no traces.
    pub endpoint: String,
    /// How many of the traces that begin here are kept, from 0 to 1. Callers decide on theirs.
    pub sample_ratio: f64,
    /// `service.name` of the spans.
    pub service_name: String,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self { endpoint: String::new(), sample_ratio: 1.0, service_name: "liveloom".to_owned() }
    }
}

impl TracesConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            endpoint: section.address("endpoint", ""),
            sample_ratio: section.ratio("sample_ratio", default.sample_ratio),
            service_name: section.filled("service_name").unwrap_or(&default.service_name).to_owned(),
        }
    }
}
