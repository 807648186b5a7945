//! What a peer is told when something failed: the codes and texts of the HTTP API.

use std::fmt::Write;

use crate::rest::ApiError;
use realtime::message::push_text;
use telemetry::sampled;

/// Writes `{code, message, retry_after_ms?}`; what is the server's own fault goes to the log.
pub(super) fn push_problem(json: &mut String, error: &ApiError) {
    let problem = error.problem();
    match &problem.cause {
        Some(cause) if problem.is_outage => sampled!(error, cause, "a realtime request failed"),
        Some(cause) => tracing::error!(cause, "a realtime request failed"),
        None => {}
    }
    let _ = write!(json, r#"{{"code":{},"message":"#, problem.code);
    push_text(json, &problem.message);
    if let Some(wait) = error.retry_after() {
        let _ = write!(json, r#","retry_after_ms":{}"#, wait.as_millis().max(1));
    }
    json.push('}');
}
