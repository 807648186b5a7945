//! What the delivery of callbacks tells about itself.

use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry};

/// Values of the label `result` of attempts.
const ATTEMPT_RESULTS: [&str; 9] =
    ["ok", "unreachable", "timed_out", "redirect", "gone", "status", "too_long", "no_code", "code"];

/// The metrics. Cheap to clone.
#[derive(Clone)]
pub(super) struct Metrics {
    attempts: IntCounterVec,
    seconds: Histogram,
    pub(super) pending: IntGauge,
    pub(super) oldest: IntGauge,
    pub(super) failed: IntGauge,
    pub(super) breaker: IntGauge,
}

impl Metrics {
    /// Registers them.
    ///
    /// # Errors
    /// When the registry holds one of the names already.
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            prometheus::Result::Ok(gauge)
        };
        let attempts = Opts::new(
            "liveloom_callback_attempts_total",
            "Attempts to deliver a callback, by result: ok, or why it failed (unreachable, timed_out, \
             redirect, gone, status, too_long, no_code, code).",
        );
        let attempts = IntCounterVec::new(attempts, &["result"])?;
        registry.register(Box::new(attempts.clone()))?;
        // A rate of what never happened yet is 0, not unknown.
        for result in ATTEMPT_RESULTS {
            attempts.with_label_values(&[result]);
        }
        let seconds = HistogramOpts::new(
            "liveloom_callback_attempt_seconds",
            "Time from a callback's post to its answer, in seconds.",
        );
        let seconds = Histogram::with_opts(seconds)?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self {
            attempts,
            seconds,
            pending: gauge(
                "liveloom_callback_pending",
                "Events whose callback is still to be delivered, in all rooms; the same on every node.",
            )?,
            oldest: gauge(
                "liveloom_callback_oldest_seconds",
                "Age of the oldest event whose callback is still to be delivered, in seconds; 0 without one.",
            )?,
            failed: gauge(
                "liveloom_callback_failed",
                "Callbacks that are kept as failed until an operator sends them again.",
            )?,
            breaker: gauge(
                "liveloom_callback_breaker_open",
                "1 while this node takes the receiver for down and only probes it, else 0.",
            )?,
        })
    }

    /// Counts an attempt.
    pub(super) fn attempted(&self, result: &str, took: Duration) {
        self.attempts.with_label_values(&[result]).inc();
        self.seconds.observe(took.as_secs_f64());
    }
}
