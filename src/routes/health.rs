//! What load balancers and operators ask: is the process up, can it work.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Gate;
use crate::error::{Failure, Kind};
use crate::rest::envelope::{Done, Success};
use crate::rest::rate_limit::AddressLimit;
use crate::rest::{ApiError, Draining, Reply};
use crate::store::cache::Cache;
use crate::store::db::Db;

/// What readiness depends on, and how often an address may ask.
pub struct Stores {
    /// The database.
    pub db: Db,
    /// The cache.
    pub cache: Cache,
    /// Whether the node is on its way out.
    pub draining: Draining,
    /// Calls per address.
    pub limit: AddressLimit,
}

/// The answer of a server that is ready.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ready {
    /// `ok`.
    pub database: &'static str,
    /// `ok`.
    pub cache: &'static str,
}

/// The server is up but cannot work, or should get no more of it.
#[derive(Debug, thiserror::Error)]
enum NotReady {
    #[error("unreachable: {0}")]
    Unreachable(&'static str),
    #[error("draining: the server is about to stop")]
    Draining,
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

/// The process is up.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = Done)))]
async fn healthz(
    stores: web::Data<Stores>,
    gate: web::Data<Gate>,
    request: HttpRequest,
) -> Result<Reply<()>, ApiError> {
    stores.limit.check(gate.client_ip(&request))?;
    Ok(Reply::empty())
}

/// The process is up, as the Go server says it.
#[utoipa::path(get, path = "/status", tag = "health", responses((status = 200, body = Done)))]
async fn status(
    stores: web::Data<Stores>,
    gate: web::Data<Gate>,
    request: HttpRequest,
) -> Result<Reply<()>, ApiError> {
    healthz(stores, gate, request).await
}

/// Database and cache answer, and the server is not about to stop.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = 200, body = inline(Success<Ready>)), (status = 503, description = "Says which does not answer, or that the server is about to stop")))]
async fn readyz(
    stores: web::Data<Stores>,
    gate: web::Data<Gate>,
    request: HttpRequest,
) -> Result<Reply<Ready>, ApiError> {
    stores.limit.check(gate.client_ip(&request))?;
    if stores.draining.has_begun() {
        return Err(NotReady::Draining.into());
    }
    match tokio::join!(stores.db.ping(), stores.cache.ping()) {
        (Ok(()), Ok(())) => Ok(Reply::data(Ready { database: "ok", cache: "ok" })),
        (Err(_), Ok(())) => Err(NotReady::Unreachable("database").into()),
        (Ok(()), Err(_)) => Err(NotReady::Unreachable("cache").into()),
        (Err(_), Err(_)) => Err(NotReady::Unreachable("database, cache").into()),
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
async fn ping(
    stores: web::Data<Stores>,
    gate: web::Data<Gate>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    stores.limit.check(gate.client_ip(&request))?;
    if stores.db.ping().await.is_ok() {
        Ok(HttpResponse::Ok().json(Pong { message: "pong" }))
    } else {
        Ok(HttpResponse::InternalServerError().finish())
    }
}

pub(super) mod paths {
    //! What the document needs of these routes.
    pub use super::{__path_healthz, __path_ping, __path_readyz, __path_status};
}
