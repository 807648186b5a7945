//! Logs to standard output, as text or as JSON.

use std::io::{self, BufWriter};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{JsonFields, format};
use tracing_subscriber::util::SubscriberInitExt;

use super::line::WithRequestId;

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

/// [`slow_statement`] in milliseconds.
static SLOW_STATEMENT_MS: AtomicU64 = AtomicU64::new(0);

/// Starts logging; what was logged is written out when the guard is dropped.
///
/// A thread of its own writes, and what has gathered meanwhile goes out in one write, so that a
/// request never waits for the terminal or the pipe.
///
/// # Errors
/// When the filter cannot be read, or logging was started already.
pub fn init(config: &LogConfig) -> anyhow::Result<WorkerGuard> {
    let filter = EnvFilter::try_new(&config.filter)?;
    SLOW_STATEMENT_MS.store(config.slow_statement_ms, Ordering::Relaxed);
    let (writer, guard) = writer();
    // Only whoever logs first has anything to count.
    let _ = DROPPED.set(writer.error_counter());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    if config.json {
        let inner = format().json().flatten_event(true);
        let format = WithRequestId { inner, is_json: true };
        builder.fmt_fields(JsonFields::new()).event_format(format).finish().try_init()?;
    } else {
        let inner = format().with_ansi(io::IsTerminal::is_terminal(&io::stdout()));
        builder.event_format(WithRequestId { inner, is_json: false }).finish().try_init()?;
    }
    Ok(guard)
}

/// How long a statement may take before a warning tells of it (`log.slow_statement_ms`); None: for ever.
#[must_use]
pub fn slow_statement() -> Option<Duration> {
    let ms = SLOW_STATEMENT_MS.load(Ordering::Relaxed);
    (ms > 0).then(|| Duration::from_millis(ms))
}

fn writer() -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).finish(BufWriter::new(io::stdout()))
}
