//! One attempt: the post, and what its answer means.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use url::Url;

use super::breaker::Health;
use crate::auth::WebhookSigner;
use crate::http_client;
use common::clock::SharedClock;
use common::json;
use common::request_id;
use config::{CallbackConfig, Current};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const SEQ: HeaderName = HeaderName::from_static("x-liveloom-seq");
const REQUEST_ID: HeaderName = HeaderName::from_static(request_id::HEADER);

/// A longer answer is a failure.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What is posted.
#[derive(Clone, Debug)]
pub(super) struct WebhookRequest {
    /// The same in every attempt.
    pub webhook_id: String,
    /// The event's place among those of its room.
    pub seq: i64,
    /// The request that made the event, or what stands for it: the same in every attempt.
    pub request_id: String,
    /// The JSON text.
    pub body: String,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Reason {
    #[error("no connection: {0}")]
    Unreachable(String),
    #[error("no answer in time")]
    TimedOut,
    #[error("HTTP status {0}, and redirects are not followed")]
    Redirect(u16),
    #[error("HTTP status 410")]
    Gone,
    #[error("HTTP status {0}")]
    Status(u16),
    #[error("an answer of more than 64 KiB")]
    TooLong,
    #[error("an answer without an integer code")]
    NoCode,
    #[error("code {0}")]
    Code(i64),
}

/// A failed attempt.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    /// Why.
    pub reason: Reason,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl Reason {
    /// The `result` label of metrics.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Redirect(_) => "redirect",
            Self::Gone => "gone",
            Self::Status(_) => "status",
            Self::TooLong => "too_long",
            Self::NoCode => "no_code",
            Self::Code(_) => "code",
        }
    }

    /// Whether the receiver is there at all.
    pub(super) fn health(&self) -> Health {
        match self {
            Self::Unreachable(_) | Self::TimedOut | Self::Status(500..) => Health::Down,
            _ => Health::Up,
        }
    }
}

impl From<Reason> for Failed {
    fn from(reason: Reason) -> Self {
        Self { reason, retry_after: None }
    }
}

/// Posts to the receiver. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sender {
    client: Client,
    addr: String,
    signer: Current<WebhookSigner>,
    clock: SharedClock,
    timeout: Duration,
}

#[derive(Deserialize)]
struct Answer {
    code: i64,
}

impl Sender {
    /// Posts to `callback.addr`, signed by `signer`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub(super) fn new(
        config: &CallbackConfig,
        signer: Current<WebhookSigner>,
        clock: SharedClock,
    ) -> reqwest::Result<Self> {
        let timeout = Duration::from_secs(config.timeout_s);
        let client = http_client::builder()
            .user_agent(concat!("liveloom/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            .build()?;
        Ok(Self { client, addr: config.addr.clone(), signer, clock, timeout })
    }

    /// How long an attempt takes at most.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Posts once.
    pub(super) async fn post(&self, post: &WebhookRequest) -> Result<(), Failed> {
        let url = Url::parse(&self.addr).map_err(|error| Reason::Unreachable(error.to_string()))?;
        let request = self.client.post(url).headers(self.headers(post)).body(post.body.clone());
        let response = http_client::send(request, "callback").await.map_err(lost)?;
        let status = response.status();
        if status.is_success() {
            let body = http_client::bounded_body(response, MAX_ANSWER_BYTES).await.map_err(lost)?;
            return succeeded(&body.ok_or(Reason::TooLong)?);
        }
        let retry_after = self.retry_after(response.headers());
        let reason = match status {
            StatusCode::GONE => Reason::Gone,
            _ if status.is_redirection() => Reason::Redirect(status.as_u16()),
            _ => Reason::Status(status.as_u16()),
        };
        Err(Failed { reason, retry_after })
    }

    fn headers(&self, post: &WebhookRequest) -> HeaderMap {
        let timestamp = self.clock.now().timestamp();
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(TIMESTAMP, HeaderValue::from(timestamp));
        headers.insert(SEQ, HeaderValue::from(post.seq));
        let texts = [
            (ID, Some(post.webhook_id.clone())),
            (SIGNATURE, self.signer.get().sign(&post.webhook_id, timestamp, post.body.as_bytes())),
            (REQUEST_ID, Some(post.request_id.clone())),
        ];
        for (name, text) in texts {
            if let Some(Ok(value)) = text.map(HeaderValue::try_from) {
                headers.insert(name, value);
            }
        }
        headers
    }

    /// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
    fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = DateTime::parse_from_rfc2822(text).ok()?;
        (date.to_utc() - self.clock.now()).to_std().ok()
    }
}

/// The URL may hold a password.
fn lost(error: reqwest::Error) -> Failed {
    if error.is_timeout() {
        return Reason::TimedOut.into();
    }
    let error = error.without_url();
    let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
    Reason::Unreachable(cause).into()
}

fn succeeded(body: &[u8]) -> Result<(), Failed> {
    match serde_json::from_slice(&json::readable(body)) {
        Ok(Answer { code: 0 }) => Ok(()),
        Ok(Answer { code }) => Err(Reason::Code(code).into()),
        Err(_) => Err(Reason::NoCode.into()),
    }
}
