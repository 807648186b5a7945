//! Metrics whose values are asked for when somebody looks at them.

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, IntGauge, Opts, Registry};

/// A metric with one value, and where to get it.
struct Asked<M, F> {
    /// What describes it.
    metric: M,
    value: F,
}

/// Registers a gauge that is what `value` answers.
///
/// # Errors
/// When the registry holds it already.
pub fn gauge(
    registry: &Registry,
    opts: Opts,
    value: impl Fn() -> i64 + Send + Sync + 'static,
) -> prometheus::Result<()> {
    registry.register(Box::new(Asked { metric: IntGauge::with_opts(opts)?, value }))
}

/// Registers a counter that stands where `value` says.
///
/// # Errors
/// When the registry holds it already.
pub fn counter(
    registry: &Registry,
    opts: Opts,
    value: impl Fn() -> u64 + Send + Sync + 'static,
) -> prometheus::Result<()> {
    let described = IntCounter::with_opts(opts.clone())?;
    let fresh = move || {
        let counter = IntCounter::with_opts(opts.clone()).ok()?;
        counter.inc_by(value());
        Some(counter)
    };
    registry.register(Box::new(Asked { metric: described, value: fresh }))
}

impl<F: Fn() -> i64 + Send + Sync> Collector for Asked<IntGauge, F> {
    fn desc(&self) -> Vec<&Desc> {
        self.metric.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.metric.set((self.value)());
        self.metric.collect()
    }
}

/// A counter cannot be set, so that each look gets one of its own.
impl<F: Fn() -> Option<IntCounter> + Send + Sync> Collector for Asked<IntCounter, F> {
    fn desc(&self) -> Vec<&Desc> {
        self.metric.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        (self.value)().map(|counter| counter.collect()).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn each_look_shows_what_is_so_then() {
        let (registry, count) = (Registry::new(), Arc::new(AtomicU64::new(3)));
        let counted = Arc::clone(&count);
        counter(&registry, Opts::new("a_total", "-"), move || counted.load(Ordering::Relaxed)).unwrap();
        gauge(&registry, Opts::new("b", "-").const_label("of", "c"), || 7).unwrap();
        gauge(&registry, Opts::new("b", "-").const_label("of", "d"), || 8).unwrap();
        let look = || {
            let families = registry.gather();
            let of = |at: usize| families[at].get_metric().to_vec();
            let gauges: Vec<_> = of(1).iter().map(|metric| metric.get_gauge().get_value()).collect();
            (of(0)[0].get_counter().get_value(), gauges)
        };
        assert_eq!(look(), (3.0, vec![7.0, 8.0]));
        count.store(5, Ordering::Relaxed);
        assert_eq!(look(), (5.0, vec![7.0, 8.0]));
    }
}
