//! HTTP to the PKs and back.

use actix_web::web;

use super::dto::{PkView, StartPk, StartedView, UpdatePk};
use super::service::Relays;
use crate::auth::{Backend, Client};
use crate::event::RelayRow;
use crate::rest::envelope::{Done, Success};
use crate::rest::{ApiError, Body, PathId, Reply};

type Answer<T> = Result<Reply<T>, ApiError>;

/// Starts a PK between the caller's live room and another one, on which both anchors have agreed.
///
/// # Errors
/// 400 when a room is not live or in a PK already, 401, 403 for others than the anchor, 404.
#[utoipa::path(post, path = "/client/relay/start", tag = "relay", security(("client" = [])),
    request_body = StartPk,
    responses((status = 200, body = inline(Success<PkView>)),
        (status = 403, description = "Not the anchor of init_room_id"), (status = 404, description = "Unknown room")))]
pub async fn start(relays: web::Data<Relays>, client: Client, body: Body<StartPk>) -> Answer<PkView> {
    Ok(Reply::data(relays.start(client.user_id(), body.0).await?))
}

/// A PK.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/client/relay/{id}", tag = "relay", security(("client" = [])),
    params(("id" = String, Path)), responses((status = 200, body = inline(Success<RelayRow>))))]
pub async fn info(relays: web::Data<Relays>, _: Client, id: PathId) -> Answer<RelayRow> {
    Ok(Reply::data(relays.find(&id.0).await?))
}

/// A PK with a token for the other room, for one of its two anchors.
///
/// # Errors
/// 400 after its end, 401, 403 for others, 404.
#[utoipa::path(get, path = "/client/relay/{id}/token", tag = "relay", security(("client" = [])),
    params(("id" = String, Path)),
    responses((status = 200, body = inline(Success<PkView>)), (status = 400, description = "The PK has stopped"),
        (status = 403, description = "Neither of the anchors")))]
pub async fn token(relays: web::Data<Relays>, client: Client, id: PathId) -> Answer<PkView> {
    Ok(Reply::data(relays.token(&id.0, client.user_id()).await?))
}

/// Says that the caller publishes in the other room; once per side, again changes nothing.
///
/// # Errors
/// 400 after its end, 401, 403 for others than the two anchors, 404.
#[utoipa::path(post, path = "/client/relay/{id}/started", tag = "relay", security(("client" = [])),
    params(("id" = String, Path)),
    responses((status = 200, body = inline(Success<StartedView>)), (status = 400, description = "The PK has stopped"),
        (status = 403, description = "Neither of the anchors")))]
pub async fn started(relays: web::Data<Relays>, client: Client, id: PathId) -> Answer<StartedView> {
    Ok(Reply::data(relays.report_started(&id.0, client.user_id()).await?))
}

/// Ends a PK and frees both rooms; harmless when it is over.
///
/// # Errors
/// 401, 403 for others than the two anchors, 404.
#[utoipa::path(post, path = "/client/relay/{id}/stop", tag = "relay", security(("client" = [])),
    params(("id" = String, Path)),
    responses((status = 200, body = Done), (status = 403, description = "Neither of the anchors")))]
pub async fn stop(relays: web::Data<Relays>, client: Client, id: PathId) -> Answer<()> {
    relays.stop(&id.0, client.user_id()).await?;
    Ok(Reply::empty())
}

/// Sets keys of a PK's map; both rooms are told those that changed.
///
/// # Errors
/// 400, 401, 403 for others than the two anchors, 404.
#[utoipa::path(post, path = "/client/relay/{id}/extends", tag = "relay", security(("client" = [])),
    params(("id" = String, Path)), request_body = UpdatePk,
    responses((status = 200, body = Done), (status = 403, description = "Neither of the anchors")))]
pub async fn set_extends(
    relays: web::Data<Relays>,
    client: Client,
    id: PathId,
    body: Body<UpdatePk>,
) -> Answer<()> {
    relays.set_extends(&id.0, Some(client.user_id()), body.0.extends).await?;
    Ok(Reply::empty())
}

/// Sets keys of a PK's map; both rooms are told those that changed.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(post, path = "/server/relay/{id}/extends", tag = "relay", security(("server" = [])),
    params(("id" = String, Path)), request_body = UpdatePk, responses((status = 200, body = Done)))]
pub async fn set_extends_by_server(
    relays: web::Data<Relays>,
    _: Backend,
    id: PathId,
    body: Body<UpdatePk>,
) -> Answer<()> {
    relays.set_extends(&id.0, None, body.0.extends).await?;
    Ok(Reply::empty())
}
