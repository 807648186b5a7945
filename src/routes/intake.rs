//! When the body of a request is read, and how large it may be: after the routes and the credentials of its
//! sender are known, and their limits were asked. Bodies for routes that take none are never read.

use std::net::IpAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpRequest, ResponseError, web};

use crate::auth::{Admin, Backend, Client, Gate};
use crate::censor;
use crate::edges::Mesh;
use crate::live::stream;
use crate::rest::ApiError;
use crate::rest::incoming::{self, BATCH, BodyBudget, SMALL, Sender};
use crate::rest::rate_limit::LimitsAddresses;
use config::{Current, HooksConfig};

/// The routes whose bodies may have [`BATCH`] bytes; all others have [`SMALL`].
const BATCHES: [&str; 22] = [
    "/client/item/add",
    "/client/item/delete",
    "/client/item/status",
    "/client/item/order",
    "/client/stats/singleLive",
    "/client/user/users",
    "/server/item/add",
    "/server/item/delete",
    "/server/item/status",
    "/server/item/order",
    "/server/user/register/batch",
    "/server/user/infos",
    "/server/user/profiles",
    "/server/banned_words",
    "/server/banned_words/delete",
    "/server/gift/config",
    "/admin/banned_words",
    "/admin/banned_words/delete",
    "/admin/gift/config",
    "/manager/censor/callback",
    "/v1/mesh/publish",
    "/v1/mesh/send",
];

/// Who sends a body, and what is asked of them before it is read.
pub(super) trait BodySender {
    /// Refuses whom the head alone shows to be nobody who may send one; answers whose memory it takes.
    async fn admit(request: &HttpRequest, budget: &BodyBudget) -> Result<Sender, Error>;

    /// Refuses whose credentials do not fit the body.
    async fn confirm(_: &HttpRequest, _: &BodyBudget) -> Result<(), Error> {
        Ok(())
    }
}

/// Where a request comes from.
async fn ip(request: &HttpRequest) -> Result<IpAddr, Error> {
    Ok(web::Data::<Gate>::extract(request).await?.client_ip(request))
}

impl BodySender for Client {
    async fn admit(request: &HttpRequest, budget: &BodyBudget) -> Result<Sender, Error> {
        Ok(budget.user(Self::extract(request).await?.user_id()))
    }
}

impl BodySender for Admin {
    async fn admit(request: &HttpRequest, budget: &BodyBudget) -> Result<Sender, Error> {
        Ok(budget.administrator(Self::extract(request).await?.user_id()))
    }
}

/// Its signature covers the body.
impl BodySender for Backend {
    async fn admit(request: &HttpRequest, budget: &BodyBudget) -> Result<Sender, Error> {
        let gate = web::Data::<Gate>::extract(request).await?;
        gate.expect_backend(request)?;
        Ok(budget.backend(gate.client_ip(request)))
    }

    async fn confirm(request: &HttpRequest, budget: &BodyBudget) -> Result<(), Error> {
        Self::extract(request).await?;
        budget.know_backend(ip(request).await?);
        Ok(())
    }
}

/// A backend, or anybody where `realtime.mesh_auth` is off.
pub(super) struct MeshCaller;

impl BodySender for MeshCaller {
    async fn admit(request: &HttpRequest, budget: &BodyBudget) -> Result<Sender, Error> {
        if web::Data::<Mesh>::extract(request).await?.is_closed() {
            Backend::admit(request, budget).await
        } else {
            Anybody::admit(request, budget).await
        }
    }

    async fn confirm(request: &HttpRequest, budget: &BodyBudget) -> Result<(), Error> {
        if web::Data::<Mesh>::extract(request).await?.is_closed() {
            Backend::confirm(request, budget).await
        } else {
            Ok(())
        }
    }
}

/// A media server, by its address or the secret.
pub(super) struct MediaServer;

impl BodySender for MediaServer {
    async fn admit(request: &HttpRequest, budget: &BodyBudget) -> Result<Sender, Error> {
        let config = web::Data::<Current<HooksConfig>>::extract(request).await?;
        stream::check_caller(&config.get(), request).map_err(ApiError::from)?;
        Ok(budget.service(ip(request).await?))
    }
}

/// The review service, by the signature in the address that it was given.
pub(super) struct ReviewService;

impl BodySender for ReviewService {
    async fn admit(request: &HttpRequest, budget: &BodyBudget) -> Result<Sender, Error> {
        censor::handlers::check_caller(request).await?;
        Ok(budget.service(ip(request).await?))
    }
}

/// Anybody, as often as their address may call.
pub(super) struct Anybody;

impl BodySender for Anybody {
    async fn admit(request: &HttpRequest, budget: &BodyBudget) -> Result<Sender, Error> {
        Ok(budget.stranger(ip(request).await?))
    }
}

/// Reads the bodies of senders of one kind, for a scope or a route.
pub(super) async fn bodies<F: BodySender, B: MessageBody + 'static>(
    budget: web::Data<BodyBudget>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse, Error> {
    if incoming::has_body(&mut request)
        && let Err(error) = body::<F>(&budget, &mut request).await
    {
        incoming::pass_by(&mut request).await;
        return Ok(request.into_response(error.error_response()));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

async fn body<F: BodySender>(budget: &BodyBudget, request: &mut ServiceRequest) -> Result<(), Error> {
    let Some(pattern) = request.match_pattern() else {
        // There is no such route, which its answer says.
        incoming::pass_by(request).await;
        return Ok(());
    };
    let limit = if BATCHES.contains(&pattern.as_str()) { BATCH } else { SMALL };
    let sender = F::admit(request.request(), budget).await?;
    incoming::take(request, limit, sender, budget).await?;
    F::confirm(request.request(), budget).await
}

/// Counts a call against its address's limit, for a route that anybody may call, and reads its body then.
pub(super) async fn limited<L: LimitsAddresses, B: MessageBody + 'static>(
    limit: web::Data<L>,
    gate: web::Data<Gate>,
    budget: web::Data<BodyBudget>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse, Error> {
    if let Err(error) = limit.of_address().check(gate.client_ip(request.request())) {
        incoming::pass_by(&mut request).await;
        return Ok(request.into_response(ApiError::from(error).error_response()));
    }
    bodies::<Anybody, B>(budget, request, next).await
}
