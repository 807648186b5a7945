//! Logs to standard output, as text or as JSON.

use std::io::{self, BufWriter};

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogConfig;

/// Lines that may wait for a slow standard output before further ones are dropped.
const WAITING_LINES: usize = 64 * 1024;

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
