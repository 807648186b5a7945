//! The JSON shape of every answer: `{"request_id", "code", "message", "data"?}`.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use super::request_id;
use common::request_id::RequestId;

#[derive(Serialize)]
struct Envelope<'a, T> {
    request_id: &'a str,
    code: i64,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a T>,
}

/// A successful answer, with or without data.
#[derive(Debug)]
pub struct Reply<T>(Option<T>);

impl<T> Reply<T> {
    /// An answer that carries `data`.
    pub fn data(data: T) -> Self {
        Self(Some(data))
    }

    /// An answer that carries data where there is some, and none otherwise.
    pub fn maybe(data: Option<T>) -> Self {
        Self(data)
    }
}

impl Reply<()> {
    /// An answer without data.
    #[must_use]
    pub fn empty() -> Self {
        Self(None)
    }
}

impl<T: Serialize> Responder for Reply<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let id = request_id::of_request(request);
        write(StatusCode::OK, &id, 0, "success", self.0.as_ref())
    }
}

/// The answer of a failed request.
#[must_use]
pub fn failure(
    status: StatusCode,
    id: &RequestId,
    code: i64,
    message: &str,
    data: Option<&serde_json::Value>,
) -> HttpResponse {
    write(status, id, code, message, data)
}

fn write<T: Serialize>(
    status: StatusCode,
    id: &RequestId,
    code: i64,
    message: &str,
    data: Option<&T>,
) -> HttpResponse {
    let envelope = Envelope { request_id: id.as_str(), code, message, data };
    match serde_json::to_vec(&envelope) {
        Ok(body) => HttpResponse::build(status).content_type(ContentType::json()).body(body),
        Err(error) => {
            tracing::error!(request_id = id.as_str(), %error, "an answer could not be encoded");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// The documented shape of a successful answer with data.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Success<T> {
    /// Names the request in the logs.
    #[schema(example = "Zm9vYmFyYmF6cXV4")]
    pub request_id: String,
    /// 0.
    #[schema(example = 0)]
    pub code: i64,
    /// `success`.
    #[schema(example = "success")]
    pub message: String,
    /// The answer.
    pub data: T,
}

/// The documented shape of a successful answer without data.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Done {
    /// Names the request in the logs.
    pub request_id: String,
    /// 0.
    #[schema(example = 0)]
    pub code: i64,
    /// `success`.
    #[schema(example = "success")]
    pub message: String,
}

/// The documented shape of every failure.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Failed {
    /// Names the request in the logs.
    pub request_id: String,
    /// The HTTP status, or a more precise number; see docs/api.md.
    #[schema(example = 400)]
    pub code: i64,
    /// What is wrong.
    pub message: String,
}
