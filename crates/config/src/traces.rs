//! `traces`: spans for an OpenTelemetry collector.

use ipnet::IpNet;
use serde::Serialize;

use super::auth::loopback;
use super::section::Section;

/// `traces` (new in this project)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TracesConfig {
    /// Address of a collector that takes OTLP over HTTP, without `/v1/traces`; empty: no traces.
    pub endpoint: String,
    /// How many traces are kept, from 0 to 1.
    pub sample_ratio: f64,
    /// Callers who decide themselves which of their traces are kept.
    pub allow: Vec<IpNet>,
    /// `service.name` of the spans.
    pub service_name: String,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            sample_ratio: 1.0,
            allow: loopback(),
            service_name: "liveloom".to_owned(),
        }
    }
}

impl TracesConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let endpoint = section.address("endpoint", "");
        if endpoint.ends_with("/v1/traces") {
            section.warn(
                "endpoint",
                "ends in /v1/traces, which is put behind it: no span arrives. Leave it out",
            );
        }
        Self {
            endpoint,
            sample_ratio: section.ratio("sample_ratio", default.sample_ratio),
            allow: section.networks("allow", &default.allow),
            service_name: section.filled("service_name").unwrap_or(&default.service_name).to_owned(),
        }
    }
}
