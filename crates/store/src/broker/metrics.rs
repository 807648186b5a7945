//! What is counted of the broker.

use prometheus::core::Collector;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// Counters of the broker; clones share everything.
#[derive(Clone)]
pub(super) struct Metrics {
    publications: IntCounterVec,
    pub(super) published: IntCounter,
    pub(super) too_fast: IntCounter,
    pub(super) failed: IntCounter,
    pub(super) heard: IntCounter,
    pub(super) subscriptions: IntGauge,
    pub(super) interrupted: IntCounter,
}

impl Metrics {
    /// Counters that nobody sees, until they are registered.
    pub(super) fn new() -> prometheus::Result<Self> {
        let publications = IntCounterVec::new(
            Opts::new(
                "liveloom_broker_publications_total",
                "Messages given to the broker, by outcome (published, too_fast, failed).",
            ),
            &["outcome"],
        )?;
        Ok(Self {
            published: publications.with_label_values(&["published"]),
            too_fast: publications.with_label_values(&["too_fast"]),
            failed: publications.with_label_values(&["failed"]),
            publications,
            heard: IntCounter::new(
                "liveloom_broker_heard_total",
                "Messages of subscribed channels that reached this node.",
            )?,
            subscriptions: IntGauge::new(
                "liveloom_broker_subscriptions",
                "Channels that this node has subscribed to.",
            )?,
            interrupted: IntCounter::new(
                "liveloom_broker_interruptions_total",
                "Subscriptions that were interrupted and are there again.",
            )?,
        })
    }

    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        let collectors: [Box<dyn Collector>; 4] = [
            Box::new(self.publications.clone()),
            Box::new(self.heard.clone()),
            Box::new(self.subscriptions.clone()),
            Box::new(self.interrupted.clone()),
        ];
        collectors.into_iter().try_for_each(|collector| registry.register(collector))
    }
}
