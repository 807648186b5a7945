//! The one place where a [`Failure`] becomes an HTTP status and an error code.

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};

use common::failure::{Failure, Kind, with_causes};

/// The failure of a request, ready to be answered.
pub struct ApiError(Box<dyn Failure>);

impl<E: Failure> From<E> for ApiError {
    fn from(failure: E) -> Self {
        Self(Box::new(failure))
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Input that breaks the contract; the text names the field and the reason.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Failure for Invalid {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// What a failed request tells its caller, left in the response for the outermost middleware,
/// which knows the request id and writes the body.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The envelope's `code`.
    pub code: i64,
    /// The envelope's `message`.
    pub message: String,
    /// The envelope's `data`.
    pub data: Option<serde_json::Value>,
    /// Text of the cause chain, for the log alone.
    pub cause: Option<String>,
    /// Whether an outage makes every request fail like this, so that the log gets a sample.
    pub is_outage: bool,
    /// The `code` label of the request histogram, where it differs from the status: the heartbeat
    /// of someone who is not in the room is a 500 for the SDKs' sake, and no fault of the server.
    pub metric_code: Option<&'static str>,
}

/// Left in the response of a failure that is told in the words of another protocol: the envelope does
/// not take their place.
#[derive(Clone, Copy, Debug)]
pub struct OwnWords;

impl Problem {
    /// The problem of a bare status, as the framework makes it.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        let message = status.canonical_reason().unwrap_or("Error").to_owned();
        Self {
            code: i64::from(status.as_u16()),
            message,
            data: None,
            cause: None,
            is_outage: false,
            metric_code: None,
        }
    }
}

/// The status and the code of a kind, as in the error table of docs/api.md.
#[must_use]
pub fn status_and_code(kind: Kind) -> (StatusCode, i64) {
    match kind {
        Kind::Invalid | Kind::State => (StatusCode::BAD_REQUEST, 400),
        Kind::Unauthorized => (StatusCode::UNAUTHORIZED, 401),
        Kind::TokenExpired => (StatusCode::UNAUTHORIZED, 499),
        Kind::Forbidden => (StatusCode::FORBIDDEN, 403),
        Kind::NotFound => (StatusCode::NOT_FOUND, 404),
        Kind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, 413),
        Kind::TooSlow => (StatusCode::REQUEST_TIMEOUT, 408),
        Kind::RateLimited(_) => (StatusCode::TOO_MANY_REQUESTS, 429),
        Kind::AlreadyExists => (StatusCode::BAD_REQUEST, 10001),
        Kind::ItemsExceeded => (StatusCode::BAD_REQUEST, 20001),
        Kind::Unpaid { status, code } => {
            (StatusCode::from_u16(status).unwrap_or(StatusCode::PAYMENT_REQUIRED), code)
        }
        Kind::LoginFailed => (StatusCode::FORBIDDEN, 30001),
        Kind::NotInRoom | Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, 500),
        Kind::Unavailable | Kind::NotReady | Kind::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, 503),
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        status_and_code(self.0.kind()).0
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        if let Some(wait) = self.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, whole_seconds(wait).into());
        }
        response.extensions_mut().insert(self.problem());
        response
    }
}

impl ApiError {
    /// What the failure means.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind()
    }

    /// How long the caller is to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after()
    }

    /// What the caller is told.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let kind = self.kind();
        let (status, code) = status_and_code(kind);
        Problem {
            code,
            message: message(self.0.as_ref(), kind),
            data: self.0.data(),
            cause: (is_fault(kind, status) && self.0.is_fault()).then(|| with_causes(self.0.as_ref())),
            is_outage: matches!(kind, Kind::Unavailable | Kind::NotReady),
            metric_code: (kind == Kind::NotInRoom).then_some("not_in_room"),
        }
    }
}

fn message(failure: &dyn Failure, kind: Kind) -> String {
    match kind {
        Kind::Unauthorized => "Unauthorized".to_owned(),
        Kind::TokenExpired => "Your token is expired".to_owned(),
        Kind::NotFound => "Not Found".to_owned(),
        Kind::AlreadyExists => "Already existed".to_owned(),
        Kind::ItemsExceeded => "items exceed in live room".to_owned(),
        Kind::LoginFailed => "Invalid username or password".to_owned(),
        Kind::NotInRoom => "user not in live room".to_owned(),
        Kind::Unavailable => "Service Unavailable".to_owned(),
        Kind::Internal => "Internal Server Error".to_owned(),
        _ => failure.message().into_owned(),
    }
}

/// Whether somebody has to look into it.
fn is_fault(kind: Kind, status: StatusCode) -> bool {
    status.is_server_error() && !matches!(kind, Kind::Busy(_))
}

/// Whole seconds, rounded up, since `Retry-After` has no smaller unit.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
