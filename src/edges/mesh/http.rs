//! The mesh API over HTTP.

use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Mesh, MeshError, PublishCall, SendCall, Sent};
use crate::auth::Backend;
use crate::rest::error::OwnWords;
use crate::rest::{ApiError, body};
use telemetry::sampled;

/// The documented shape of a call that was carried out.
#[derive(Serialize, ToSchema)]
struct MeshAnswer {
    /// null.
    #[serde(rename = "E")]
    #[schema(value_type = Option<String>)]
    error: Option<MeshProblem>,
    #[serde(rename = "r")]
    result: Sent,
}

/// The documented shape of a call that failed.
#[derive(Serialize, ToSchema)]
struct MeshFailed {
    #[serde(rename = "E")]
    error: MeshProblem,
}

#[derive(Serialize, ToSchema)]
struct MeshProblem {
    /// 101: an invalid argument; 401: it could not be sent.
    #[schema(example = 101)]
    c: u16,
    /// What is wrong.
    m: String,
}

/// Publishes to all barrage connections that follow a channel, on all nodes. Without credentials where
/// `realtime.mesh_auth` is off.
///
/// # Errors
/// 401.
#[utoipa::path(post, path = "/v1/mesh/publish", tag = "barrage", security(("server" = [])),
    request_body = PublishCall,
    responses((status = 200, body = MeshAnswer, description = "`s`: nodes that heard it"),
        (status = 400, body = MeshFailed, description = "101: an invalid argument"),
        (status = 503, body = MeshFailed, description = "401: try again; it may have been sent all the same")))]
pub async fn publish(mesh: web::Data<Mesh>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    admit(&mesh, &request).await?;
    Ok(answer(mesh.publish(&body::raw(&request)).await))
}

/// Sends to one barrage connection, whichever node it is at. Without credentials where
/// `realtime.mesh_auth` is off.
///
/// # Errors
/// 401.
#[utoipa::path(post, path = "/v1/mesh/send", tag = "barrage", security(("server" = [])),
    request_body = SendCall,
    responses((status = 200, body = MeshAnswer, description = "`s`: 1 when the connection's node heard it, else 0"),
        (status = 400, body = MeshFailed, description = "101: an invalid argument"),
        (status = 503, body = MeshFailed, description = "401: try again; it may have been sent all the same")))]
pub async fn send(mesh: web::Data<Mesh>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    admit(&mesh, &request).await?;
    Ok(answer(mesh.send(&body::raw(&request)).await))
}

async fn admit(mesh: &Mesh, request: &HttpRequest) -> Result<(), ApiError> {
    if mesh.is_closed() {
        Backend::extract(request).await?;
    }
    Ok(())
}

fn answer(result: Result<Sent, MeshError>) -> HttpResponse {
    let error = match result {
        Ok(result) => return HttpResponse::Ok().json(MeshAnswer { error: None, result }),
        Err(error) => error,
    };
    let status = match &error {
        MeshError::Invalid(_) => StatusCode::BAD_REQUEST,
        MeshError::Unsent(cause) => {
            sampled!(warn, %cause, "a mesh call failed");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    let problem = MeshProblem { c: error.code(), m: error.to_string() };
    let mut response = HttpResponse::build(status).json(MeshFailed { error: problem });
    response.extensions_mut().insert(OwnWords);
    response
}
