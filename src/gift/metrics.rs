//! What is counted of gifts.

use prometheus::{IntCounterVec, Opts, Registry};

use super::attempt::AttemptBy;

/// Counters of gifts; clones share everything.
#[derive(Clone)]
pub struct Metrics {
    asks: IntCounterVec,
    ended: IntCounterVec,
    flagged: IntCounterVec,
}

impl Metrics {
    /// Counters that nobody sees, until they are registered.
    ///
    /// # Errors
    /// None in practice: the names are well formed.
    pub fn new() -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            IntCounterVec::new(Opts::new(name.to_owned(), help.to_owned()), labels)
        };
        let metrics = Self {
            asks: counter(
                "liveloom_gift_asks_total",
                "Calls of the payment service, by who asked (send, redo, settle) and outcome (paid, refused, unknown).",
                &["by", "outcome"],
            )?,
            ended: counter(
                "liveloom_gifts_ended_total",
                "Gifts that got their outcome, by it (paid, refused).",
                &["outcome"],
            )?,
            flagged: counter(
                "liveloom_gifts_flagged_total",
                "Gifts whose payment service contradicted itself or an operator, by what it said last.",
                &["said"],
            )?,
        };
        // A rate of what never happened yet is 0, not unknown.
        for outcome in ["paid", "refused"] {
            metrics.ended.with_label_values(&[outcome]);
            metrics.flagged.with_label_values(&[outcome]);
        }
        for by in [AttemptBy::Send, AttemptBy::Redo, AttemptBy::Settle] {
            for outcome in ["paid", "refused", "unknown"] {
                metrics.asks.with_label_values(&[by.name(), outcome]);
            }
        }
        Ok(metrics)
    }

    /// Shows them in `registry`.
    ///
    /// # Errors
    /// When the registry holds one of the names already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        [&self.asks, &self.ended, &self.flagged]
            .into_iter()
            .try_for_each(|counter| registry.register(Box::new(counter.clone())))
    }

    pub(super) fn asked(&self, by: &str, outcome: &str) {
        self.asks.with_label_values(&[by, outcome]).inc();
    }

    pub(super) fn ended(&self, outcome: &str) {
        self.ended.with_label_values(&[outcome]).inc();
    }

    pub(super) fn flagged(&self, said: &str) {
        self.flagged.with_label_values(&[said]).inc();
    }
}
