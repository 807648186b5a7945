//! What the server tells about itself: logs, metrics, a report of the most important ones, and traces.

pub mod context;
pub mod exporter;
mod line;
pub mod logging;
pub mod process;
pub mod pusher;
pub mod report;
pub mod span;
pub mod traces;

use prometheus::Registry;

/// A registry for the metrics of a node; those of its process are given out beside it ([`process`]).
#[must_use]
pub fn registry() -> Registry {
    process::begin();
    Registry::new()
}
