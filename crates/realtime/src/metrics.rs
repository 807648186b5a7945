//! What an operator sees of the realtime side.

use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use super::connection::Closing;
use super::local::Endpoint;

/// The metrics of the hub. Clones share them.
#[derive(Clone)]
pub struct HubMetrics {
    /// Open connections, by endpoint.
    pub connections: IntGaugeVec,
    /// Channels that connections follow.
    pub subscriptions: IntGauge,
    /// Channels that this node hears.
    pub channels: IntGauge,
    /// Messages that clients and the server published here.
    pub published: IntCounter,
    /// Messages handed to connections.
    pub delivered: IntCounter,
    /// Seconds from the publication to the queues of the connections.
    pub latency: Histogram,
    /// What was not delivered, or not taken, by reason.
    pub dropped: IntCounterVec,
    /// Connections that the server closed, by code.
    pub closed: IntCounterVec,
    /// Gaps in what this node heard, by how they ended: recovered or lost.
    pub gaps: IntCounterVec,
    /// What ended because the tables said so, though this node was not told.
    pub reconciled: IntCounterVec,
}

impl HubMetrics {
    /// Registers `liveloom_realtime_*`.
    ///
    /// # Errors
    /// When a name is registered already.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let name = |name: &str| format!("liveloom_realtime_{name}");
        // Shown from the start: a rate of what never happened yet is 0, not unknown.
        let counters = |of: &str, help: &str, label: &str, values: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name(of), help), &[label])?;
            for value in values {
                counters.with_label_values(&[value]);
            }
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let gauge = |of: &str, help: &str| {
            let gauge = IntGauge::new(name(of), help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let counter = |of: &str, help: &str| {
            let counter = IntCounter::new(name(of), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let connections = Opts::new(name("connections"), "Open WebSocket connections, by endpoint.");
        let connections = IntGaugeVec::new(connections, &["endpoint"])?;
        registry.register(Box::new(connections.clone()))?;
        for endpoint in [Endpoint::Native, Endpoint::Barrage, Endpoint::Mesh] {
            connections.with_label_values(&[endpoint.label()]);
        }
        let codes = Closing::ALL.map(|closing| closing.code.to_string());
        let latency = HistogramOpts::new(
            name("delivery_seconds"),
            "From the publication (the broker's clock) to the queues of this node's connections.",
        );
        let latency = Histogram::with_opts(
            latency.buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0]),
        )?;
        registry.register(Box::new(latency.clone()))?;
        Ok(Self {
            connections,
            subscriptions: gauge(
                "subscriptions",
                "Channels that connections of this node follow, counted per connection.",
            )?,
            channels: gauge("channels", "Channels that this node hears.")?,
            published: counter("published_total", "Messages published at this node.")?,
            delivered: counter("delivered_total", "Messages put into the queues of connections.")?,
            latency,
            dropped: counters(
                "dropped_total",
                "Messages that were not delivered, or not taken from a client, by reason.",
                "reason",
                &["slow", "rate"],
            )?,
            closed: counters(
                "closed_total",
                "Connections that the server closed, by code.",
                "code",
                &codes.each_ref().map(String::as_str),
            )?,
            gaps: counters(
                "gaps_total",
                "Gaps in what this node heard: recovered from history, or lost.",
                "result",
                &["recovered", "lost"],
            )?,
            reconciled: counters(
                "reconciled_total",
                "Connections and subscriptions that ended by a comparison with the tables, by what they were.",
                "what",
                &["connection", "subscription"],
            )?,
        })
    }
}
