//! The id of a request in its head.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpMessage, HttpRequest};

use common::request_id::{HEADER, RequestId};

/// The caller's id from `X-Reqid` when it is well formed, else a new one.
#[must_use]
pub fn of_headers(headers: &HeaderMap) -> RequestId {
    let sent = headers.get(HEADER).and_then(|value| value.to_str().ok());
    sent.and_then(RequestId::sent).unwrap_or_else(RequestId::generate)
}

/// The id of `request`; none before the middleware has set it.
pub(super) fn of_request(request: &HttpRequest) -> RequestId {
    request.extensions().get::<RequestId>().cloned().unwrap_or_else(RequestId::none)
}
