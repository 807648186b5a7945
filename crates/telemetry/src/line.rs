//! A log line, with the id of the request on whose behalf it is written.

use std::fmt::{self, Write};

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::context;

/// Adds `request_id` to the lines of another format.
pub(super) struct WithRequestId<F> {
    pub(super) inner: F,
    /// Whether the lines are JSON objects.
    pub(super) is_json: bool,
}

impl<S, N, F> FormatEvent<S, N> for WithRequestId<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(id) = context::request_id() else { return self.inner.format_event(ctx, writer, event) };
        let mut line = FormattedFields::<N>::new(String::with_capacity(256));
        self.inner.format_event(ctx, line.as_writer(), event)?;
        writer.write_str(&extended(line.fields, &id, self.is_json))
    }
}

/// `line` with the id before its end.
fn extended(mut line: String, id: &str, is_json: bool) -> String {
    let end = if is_json { "}\n" } else { "\n" };
    line.truncate(line.strip_suffix(end).map_or(line.len(), str::len));
    // Callers choose their ids: any visible characters.
    let quoted = serde_json::Value::from(id);
    let _ = if is_json {
        write!(line, r#","request_id":{quoted}"#)
    } else {
        write!(line, " request_id={quoted}")
    };
    line.push_str(end);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_comes_last_in_both_formats() {
        let json = extended("{\"level\":\"INFO\"}\n".to_owned(), "a\"b\\", true);
        assert_eq!(json, "{\"level\":\"INFO\",\"request_id\":\"a\\\"b\\\\\"}\n");
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        assert_eq!(extended("INFO ready\n".to_owned(), "a", false), "INFO ready request_id=\"a\"\n");
    }
}
