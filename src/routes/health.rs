//! What load balancers and operators ask: is the process up, can it work.

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use serde::Serialize;
use utoipa::ToSchema;

use super::readiness::{Condition, Readiness};
use crate::rest::envelope::{Done, Success};
use crate::rest::{ApiError, Reply};
use common::failure::{Failure, Kind};
use common::supervise;

/// The answer of a server that is ready.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ready {
    /// `ok`.
    pub database: &'static str,
    /// `ok`.
    pub cache: &'static str,
    /// `ok`.
    pub broker: &'static str,
}

/// The server is up but cannot work, or should get no more of it.
#[derive(Debug, thiserror::Error)]
enum NotReady {
    #[error("{0}")]
    Stores(String),
    #[error("draining: the server is about to stop")]
    Draining,
    #[error("failed: a background task has ended, and the server is about to stop")]
    Failed,
}

impl Failure for NotReady {
    fn kind(&self) -> Kind {
        Kind::NotReady
    }

    /// A node that is asked to stop does as it should.
    fn is_fault(&self) -> bool {
        !matches!(self, Self::Draining)
    }
}

/// The routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/healthz").get(healthz))
        .service(web::resource("/readyz").get(readyz))
        .service(web::resource("/status").get(status))
        .service(web::resource("/api/ping").get(ping));
}

/// The process is up, and all of it works. Never limited: who asks decides whether the process may live.
#[utoipa::path(get, path = "/healthz", tag = "health",
    responses((status = 200, body = Done), (status = 503, description = "A background task has failed; the server is about to stop")))]
async fn healthz() -> Result<Reply<()>, ApiError> {
    match supervise::failure() {
        Some(_) => Err(NotReady::Failed.into()),
        None => Ok(Reply::empty()),
    }
}

/// The process is up, as the Go server says it.
#[utoipa::path(get, path = "/status", tag = "health",
    responses((status = 200, body = Done), (status = 503, description = "As of `/healthz`")))]
async fn status() -> Result<Reply<()>, ApiError> {
    healthz().await
}

/// Database, cache and broker answer and take writes, and the server is not about to stop.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = 200, body = inline(Success<Ready>)), (status = 503, description = "Says which does not answer or takes no writes, or that the server is about to stop")))]
async fn readyz(readiness: web::Data<Readiness>) -> Result<Reply<Ready>, ApiError> {
    if supervise::failure().is_some() {
        return Err(NotReady::Failed.into());
    }
    if readiness.draining.has_begun() {
        return Err(NotReady::Draining.into());
    }
    match readiness.conditions().await.trouble() {
        None => Ok(Reply::data(Ready { database: "ok", cache: "ok", broker: "ok" })),
        Some(trouble) => Err(NotReady::Stores(trouble).into()),
    }
}

/// The answer to a ping, without an envelope.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pong {
    /// `pong`.
    pub message: &'static str,
}

/// Asks the database; not wrapped in the envelope.
#[utoipa::path(get, path = "/api/ping", tag = "health",
    responses((status = 200, body = Pong), (status = 500, description = "The database does not answer")))]
async fn ping(readiness: web::Data<Readiness>) -> HttpResponse {
    if readiness.conditions().await.database == Condition::Unreachable {
        return HttpResponse::InternalServerError().finish();
    }
    HttpResponse::Ok().json(Pong { message: "pong" })
}

pub(super) mod paths {
    //! What the document needs of these routes.
    pub use super::{__path_healthz, __path_ping, __path_readyz, __path_status};
}
