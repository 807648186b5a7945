//! A line and a span for each statement, and a warning for a slow one: its text, never its values.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::Level;

use telemetry::logging;
use telemetry::span::Span;

/// Where all statements are logged, on level debug; slow ones are warned of.
const TARGET: &str = "liveloom::sql";

/// A statement under way. One that is dropped was cut off by its deadline or its caller.
#[derive(Debug)]
pub(super) struct Watched<'a> {
    text: Arc<String>,
    database: &'a str,
    started: Instant,
    span: Span,
    is_over: bool,
}

impl<'a> Watched<'a> {
    pub(super) fn begin(text: Arc<String>, database: &'a str) -> Self {
        let mut span = Span::client(Cow::Borrowed("SQL"));
        if span.is_recorded() {
            span.rename(text.split_whitespace().next().unwrap_or("SQL").to_owned());
            span.set("db.query.text", text.to_string());
            span.set("db.namespace", database.to_owned());
        }
        Self { text, database, started: Instant::now(), span, is_over: false }
    }

    /// It was answered with, or has changed, so many rows; None: it failed.
    pub(super) fn ended(mut self, rows: Option<u64>) {
        self.is_over = true;
        self.tell(if rows.is_some() { "ok" } else { "failed" }, rows);
    }

    fn tell(&mut self, result: &str, rows: Option<u64>) {
        match rows.and_then(|rows| i64::try_from(rows).ok()) {
            Some(rows) => self.span.set("db.response.returned_rows", rows),
            None => self.span.fail(),
        }
        let took = self.started.elapsed();
        let is_slow = logging::slow_statement().is_some_and(|limit| took >= limit);
        if is_slow {
            self.log_slow(result, rows, took);
        } else if tracing::enabled!(target: TARGET, Level::DEBUG) {
            let (text, database) = (self.text.as_str(), self.database);
            tracing::debug!(target: TARGET, text, database, duration_us = micros(took), rows, result, "statement");
        }
    }

    #[cold]
    fn log_slow(&self, result: &str, rows: Option<u64>, took: Duration) {
        let (text, database) = (self.text.as_str(), self.database);
        tracing::warn!(target: TARGET, text, database, duration_us = micros(took), rows, result, "slow statement");
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.tell("cut off", None);
        }
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}
