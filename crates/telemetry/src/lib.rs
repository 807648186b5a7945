//! What the server tells about itself: logs, metrics, a report of the most important ones, and traces.

pub mod asked;
pub mod context;
pub mod exporter;
mod line;
pub mod logging;
pub mod open_files;
mod panics;
pub mod process;
pub mod pusher;
pub mod report;
pub mod sampler;
pub mod span;
pub mod traces;

use prometheus::{Opts, Registry};

use common::supervise;

/// A registry for the metrics of a node; those of its process are given out beside it ([`process`]).
///
/// It begins with `liveloom_build_info`, `liveloom_log_lines_dropped_total` and
/// `liveloom_task_failures_total`.
///
/// # Errors
/// None in practice: the registry is empty.
pub fn registry() -> prometheus::Result<Registry> {
    process::begin();
    let registry = Registry::new();
    let build = Opts::new("liveloom_build_info", "1, with the version of the program.");
    asked::gauge(&registry, build.const_label("version", env!("CARGO_PKG_VERSION")), || 1)?;
    let dropped = Opts::new(
        "liveloom_log_lines_dropped_total",
        "Lines of the log that were dropped since standard output did not take them.",
    );
    asked::counter(&registry, dropped, logging::dropped_lines)?;
    supervise::register(&registry)?;
    Ok(registry)
}
