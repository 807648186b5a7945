//! HTTP to the seats and back.

use actix_web::web;

use super::dto::{
    ForbidSeat, SeatExtends, SeatOfUser, SeatRoom, SeatSwitch, SeatView, TakeSeat, TokenView, user_or,
};
use super::service::Mics;
use crate::auth::{Backend, Client};
use crate::rest::envelope::{Done, Success};
use crate::rest::{ApiError, Body, Params, PathId, Reply};

type Answer<T> = Result<Reply<T>, ApiError>;

/// Takes a microphone seat; again replaces the flags.
///
/// # Errors
/// 400 after the end of the live, 401, 403 for one who is not in the room or is forbidden, 404.
#[utoipa::path(post, path = "/client/mic", tag = "mic", security(("client" = [])), request_body = TakeSeat,
    responses((status = 200, body = inline(Success<TokenView>)),
        (status = 403, description = "Not in the room, or forbidden"), (status = 404, description = "Unknown room")))]
pub async fn up(mics: web::Data<Mics>, client: Client, body: Body<TakeSeat>) -> Answer<TokenView> {
    let (live_id, flags) = body.0.into_parts();
    let rtc_token = mics.up(&live_id, client.user_id(), flags).await?;
    Ok(Reply::data(TokenView { rtc_token }))
}

/// Leaves one's seat; harmless when on none.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(delete, path = "/client/mic", tag = "mic", security(("client" = [])),
    params(("live_id" = Option<String>, Query, description = "Unless it is in the body")), request_body = SeatRoom,
    responses((status = 200, body = Done), (status = 404, description = "Unknown room")))]
pub async fn down(mics: web::Data<Mics>, client: Client, params: Params, body: Body<SeatRoom>) -> Answer<()> {
    let live_id = body.0.live_id(&params)?;
    mics.down(&live_id, client.user_id()).await?;
    Ok(Reply::empty())
}

/// Takes a guest off their seat, by the anchor; harmless when on none.
///
/// # Errors
/// 400, 401, 403 for others than the anchor, 404.
#[utoipa::path(delete, path = "/client/mic/live", tag = "mic", security(("client" = [])),
    params(("live_id" = Option<String>, Query, description = "Unless it is in the body"),
        ("user_id" = Option<String>, Query, description = "Unless it is in the body")),
    request_body = SeatOfUser,
    responses((status = 200, body = Done), (status = 403, description = "Not the anchor"),
        (status = 404, description = "Unknown room")))]
pub async fn take_off(
    mics: web::Data<Mics>,
    client: Client,
    params: Params,
    body: Body<SeatOfUser>,
) -> Answer<()> {
    let (live_id, user_id) = body.0.ids(&params)?;
    mics.take_off(&live_id, client.user_id(), &user_id).await?;
    Ok(Reply::empty())
}

/// The guests on seats who are online in RTC, the oldest seat first.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/client/mic/room/list/{live_id}", tag = "mic", security(("client" = [])),
    params(("live_id" = String, Path)), responses((status = 200, body = inline(Success<Vec<SeatView>>))))]
pub async fn list(mics: web::Data<Mics>, _: Client, live_id: PathId) -> Answer<Vec<SeatView>> {
    Ok(Reply::data(mics.list(&live_id.0).await?))
}

/// Replaces the map of a seat, by the user on it or the anchor.
///
/// # Errors
/// 400, 401, 403, 404 for an unknown room and a user on no seat.
#[utoipa::path(put, path = "/client/mic/extension", tag = "mic", security(("client" = [])),
    request_body = SeatExtends,
    responses((status = 200, body = Done), (status = 403, description = "Neither the guest nor the anchor"),
        (status = 404, description = "Unknown room, or no seat")))]
pub async fn set_extends(mics: web::Data<Mics>, client: Client, body: Body<SeatExtends>) -> Answer<()> {
    let SeatExtends { live_id, user_id, dashed_user_id, extends, extend } = body.0;
    let user_id = user_or(client.user_id(), user_id, dashed_user_id);
    let extends = extends.or(extend).unwrap_or_default();
    mics.set_extends(&live_id, client.user_id(), &user_id, extends).await?;
    Ok(Reply::empty())
}

/// Says that a microphone or camera is on or off, by the user on the seat or the anchor.
///
/// # Errors
/// 400, 401, 403, 404 for an unknown room and a user on no seat.
#[utoipa::path(put, path = "/client/mic/switch", tag = "mic", security(("client" = [])),
    request_body = SeatSwitch,
    responses((status = 200, body = Done), (status = 403, description = "Neither the guest nor the anchor"),
        (status = 404, description = "Unknown room, or no seat")))]
pub async fn switch(mics: web::Data<Mics>, client: Client, body: Body<SeatSwitch>) -> Answer<()> {
    let is_on = body.0.is_on()?;
    let SeatSwitch { live_id, user_id, dashed_user_id, device, .. } = body.0;
    let user_id = user_or(client.user_id(), user_id, dashed_user_id);
    mics.switch(&live_id, client.user_id(), &user_id, device, is_on).await?;
    Ok(Reply::empty())
}

/// Keeps a user off the seats of a room, and takes them off theirs.
///
/// # Errors
/// 400, 401, 404 for an unknown room or user.
#[utoipa::path(post, path = "/server/mic/forbid", tag = "mic", security(("server" = [])),
    request_body = ForbidSeat,
    responses((status = 200, body = Done), (status = 404, description = "Unknown room or user")))]
pub async fn forbid(mics: web::Data<Mics>, _: Backend, body: Body<ForbidSeat>) -> Answer<()> {
    mics.forbid(&body.0.live_id, &body.0.user_id).await?;
    Ok(Reply::empty())
}

/// Lets a user take a seat in a room again.
///
/// # Errors
/// 400, 401, 404 for an unknown room or user.
#[utoipa::path(post, path = "/server/mic/unforbid", tag = "mic", security(("server" = [])),
    request_body = ForbidSeat,
    responses((status = 200, body = Done), (status = 404, description = "Unknown room or user")))]
pub async fn unforbid(mics: web::Data<Mics>, _: Backend, body: Body<ForbidSeat>) -> Answer<()> {
    mics.unforbid(&body.0.live_id, &body.0.user_id).await?;
    Ok(Reply::empty())
}
