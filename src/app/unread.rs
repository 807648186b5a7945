//! How HTTP connections end whose requests the codec refuses: with a bare 400 or 431, below everything that answers
//! requests. They are counted, and some of them are in the access log.

use std::io;
use std::net::SocketAddr;

use actix_http::error::{DispatchError, ParseError};
use prometheus::{IntCounterVec, Opts, Registry};

use telemetry::sampler::Sampler;

/// What is counted.
const REASONS: [&str; 3] = ["malformed", "too_large", "too_slow"];

/// Lines of the access log.
static LINES: Sampler = Sampler::new();

/// Counts requests that were refused before they could be read.
#[derive(Clone)]
pub(super) struct UnreadRequests(IntCounterVec);

impl UnreadRequests {
    /// Registers `liveloom_http_unread_total`.
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let help = "Requests that were refused before their head could be read.";
        let opts = Opts::new("http_unread_total", help).namespace("liveloom");
        let counts = IntCounterVec::new(opts, &["reason"])?;
        for reason in REASONS {
            counts.with_label_values(&[reason]);
        }
        registry.register(Box::new(counts.clone()))?;
        Ok(Self(counts))
    }

    /// Notes how a connection ended.
    pub(super) fn note(&self, peer: Option<SocketAddr>, error: &DispatchError) {
        let Some((reason, status)) = refusal(error) else {
            return tracing::debug!(?peer, %error, "a connection ended");
        };
        self.0.with_label_values(&[reason]).inc();
        if let Some(left_out) = LINES.admit() {
            let left_out = (left_out > 0).then_some(left_out);
            let ip = peer.map(|peer| peer.ip().to_canonical().to_string());
            tracing::info!(target: "access", left_out, status, reason, ip, "no request could be read");
        }
    }
}

/// Why, and the status that was answered, if one was.
fn refusal(error: &DispatchError) -> Option<(&'static str, Option<u16>)> {
    match error {
        DispatchError::Parse(ParseError::TooLarge) => Some(("too_large", Some(431))),
        // The peer went away.
        DispatchError::Parse(ParseError::Io(_) | ParseError::Incomplete) => None,
        DispatchError::Parse(_) => Some(("malformed", Some(400))),
        DispatchError::Io(error) if error.kind() == io::ErrorKind::TimedOut => Some(("too_slow", None)),
        _ => None,
    }
}
