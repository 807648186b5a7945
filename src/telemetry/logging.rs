//! Logs to standard output, as text or as JSON.

use std::io::{self, BufWriter};
use std::sync::OnceLock;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogConfig;

/// Lines that may wait for a slow standard output before further ones are dropped.
const WAITING_LINES: usize = 64 * 1024;

/// Counts the lines that were dropped.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Lines that were dropped so far.
#[must_use]
pub fn dropped_lines() -> u64 {
    DROPPED.get().map_or(0, |lines| u64::try_from(lines.dropped_lines()).unwrap_or(u64::MAX))
}

/// Starts logging; what was logged is written out when the guard is dropped.
///
/// A thread of its own writes, and what has gathered meanwhile goes out in one write, so that a
/// request never waits for the terminal or the pipe.
///
/// # Errors
/// When the filter cannot be read, or logging was started already.
pub fn init(config: &LogConfig) -> anyhow::Result<WorkerGuard> {
    let filter = EnvFilter::try_new(&config.filter)?;
    let (writer, guard) = writer();
    // Only whoever logs first has anything to count.
    let _ = DROPPED.set(writer.error_counter());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    if config.json {
        builder.json().flatten_event(true).finish().try_init()?;
    } else {
        builder.with_ansi(io::IsTerminal::is_terminal(&io::stdout())).finish().try_init()?;
    }
    Ok(guard)
}

fn writer() -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).finish(BufWriter::new(io::stdout()))
}
