//! The id that names one request in its answer, in the logs and in what it causes.

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use actix_web::{HttpMessage, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The request and response header.
pub const HEADER: &str = "x-reqid";

const MAX_LEN: usize = 64;

/// A request id: 1 to 64 visible ASCII characters.
#[derive(Clone, Debug)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Takes the caller's id from `X-Reqid` when it is well formed, else makes one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|id| (1..=MAX_LEN).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()))
            .map_or_else(Self::generate, |id| Self(id.into()))
    }

    /// A new id.
    #[must_use]
    pub fn generate() -> Self {
        let bytes: [u8; 12] = rand::random();
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// The id, to be kept.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of `request`; empty before the middleware has set it.
pub(super) fn of_request(request: &HttpRequest) -> RequestId {
    request.extensions().get::<RequestId>().cloned().unwrap_or_else(|| RequestId("".into()))
}
