//! What the server tells about itself: logs, metrics, and a report of the most important ones.

pub mod exporter;
pub mod logging;
pub mod pusher;
pub mod report;

use prometheus::Registry;

/// A registry that holds the metrics of the process (memory, CPU, open files, start time).
///
/// # Errors
/// When the process metrics cannot be registered.
pub fn registry() -> prometheus::Result<Registry> {
    let registry = Registry::new();
    #[cfg(target_os = "linux")]
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    Ok(registry)
}
