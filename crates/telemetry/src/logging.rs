//! Logs to standard output, as text or as JSON.

use std::io::{self, BufWriter};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::format::{JsonFields, format};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, reload};

use super::line::WithRequestId;
use super::panics;
use config::LogConfig;

/// Lines that may wait for a slow standard output before further ones are dropped.
const WAITING_LINES: usize = 64 * 1024;

/// Where the codec logs.
const CODEC: &str = "actix_http";

/// Counts the lines that were dropped.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// [`slow_statement`] in milliseconds.
static SLOW_STATEMENT_MS: AtomicU64 = AtomicU64::new(0);

/// The log of this process; what was logged is written out when this is dropped.
pub struct Logging {
    set_filter: Box<dyn Fn(EnvFilter) -> Result<(), reload::Error>>,
    _guard: WorkerGuard,
}

impl Logging {
    /// Starts logging, of panics too.
    ///
    /// A thread of its own writes, and what has gathered meanwhile goes out in one write, so that a
    /// request never waits for the terminal or the pipe.
    ///
    /// # Errors
    /// When the filter cannot be read, or logging was started already.
    pub fn start(config: &LogConfig) -> anyhow::Result<Self> {
        let filter = filter(&config.filter)?;
        let (writer, guard) = writer();
        // Only whoever logs first has anything to count.
        let _ = DROPPED.set(writer.error_counter());
        let builder = tracing_subscriber::fmt().with_writer(writer);
        let set_filter: Box<dyn Fn(EnvFilter) -> _> = if config.json {
            let inner = format().json().flatten_event(true);
            let format = WithRequestId { inner, is_json: true };
            let builder = builder.fmt_fields(JsonFields::new()).event_format(format);
            let builder = builder.with_env_filter(filter).with_filter_reloading();
            let filter = builder.reload_handle();
            builder.finish().try_init()?;
            Box::new(move |new| filter.reload(new))
        } else {
            let inner = format().with_ansi(io::IsTerminal::is_terminal(&io::stdout()));
            let builder = builder.event_format(WithRequestId { inner, is_json: false });
            let builder = builder.with_env_filter(filter).with_filter_reloading();
            let filter = builder.reload_handle();
            builder.finish().try_init()?;
            Box::new(move |new| filter.reload(new))
        };
        panics::log();
        SLOW_STATEMENT_MS.store(config.slow_statement_ms, Ordering::Relaxed);
        Ok(Self { set_filter, _guard: guard })
    }

    /// Takes over the filter, and from when on a statement is slow.
    ///
    /// # Errors
    /// When the filter cannot be read.
    pub fn follow(&self, config: &LogConfig) -> anyhow::Result<()> {
        (self.set_filter)(filter(&config.filter)?)?;
        SLOW_STATEMENT_MS.store(config.slow_statement_ms, Ordering::Relaxed);
        Ok(())
    }
}

/// Lines that were dropped so far.
#[must_use]
pub fn dropped_lines() -> u64 {
    DROPPED.get().map_or(0, |lines| u64::try_from(lines.dropped_lines()).unwrap_or(u64::MAX))
}

/// How long a statement may take before a warning tells of it (`log.slow_statement_ms`); None: for ever.
#[must_use]
pub fn slow_statement() -> Option<Duration> {
    let ms = SLOW_STATEMENT_MS.load(Ordering::Relaxed);
    (ms > 0).then(|| Duration::from_millis(ms))
}

/// The levels that `text` says. The codec's own lines of what peers send are errors to it, one for each malformed
/// request, and are left out unless `text` names them: such requests are counted and logged by the server.
fn filter(text: &str) -> anyhow::Result<EnvFilter> {
    let filter = EnvFilter::try_new(text)?;
    if text.contains(CODEC) { Ok(filter) } else { Ok(filter.add_directive(format!("{CODEC}=off").parse()?)) }
}

fn writer() -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).finish(BufWriter::new(io::stdout()))
}
