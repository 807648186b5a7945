//! HTTP to the rooms and back.

use actix_web::web;

use super::dto::{CreateRoom, CreateRoomFor, ForAnchor, HeartbeatView, RoomView, UpdateExtends};
use super::room::Wanted;
use super::service::Lives;
use crate::auth::{Backend, Client};
use crate::rest::envelope::{Done, Success};
use crate::rest::user_limit::UserLimit;
use crate::rest::{ApiError, Body, Invalid, Params, PathId, Reply, paging};
use crate::user::UserView;
use common::page::Page;

type Answer<T> = Result<Reply<T>, ApiError>;

/// How many rooms users may create.
pub struct RoomLimit(pub UserLimit);

/// Creates a room; the caller is its anchor.
///
/// # Errors
/// 400, 401, 429 beyond `limits.rooms_per_user_h`; 503 when the chat room cannot be made, and then nothing
/// is stored.
#[utoipa::path(post, path = "/client/live/room/instance", tag = "live", security(("client" = [])),
    request_body = CreateRoom, responses((status = 200, body = inline(Success<RoomView>))))]
pub async fn create(
    lives: web::Data<Lives>,
    limit: web::Data<RoomLimit>,
    client: Client,
    body: Body<CreateRoom>,
) -> Answer<RoomView> {
    limit.0.check(client.user_id())?;
    Ok(Reply::data(lives.create(client.user_id(), body.0).await?))
}

/// Creates a room for an anchor.
///
/// # Errors
/// 400, 401, 404 for an unknown anchor; 503 when the chat room cannot be made.
#[utoipa::path(post, path = "/server/live", tag = "live", security(("server" = [])),
    request_body = CreateRoomFor,
    responses((status = 200, body = inline(Success<RoomView>)), (status = 404, description = "Unknown anchor")))]
pub async fn create_for(
    lives: web::Data<Lives>,
    _: Backend,
    anchor: Body<ForAnchor>,
    room: Body<CreateRoom>,
) -> Answer<RoomView> {
    Ok(Reply::data(lives.create(&anchor.0.anchor_id, room.0).await?))
}

/// A room.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/client/live/room/info/{live_id}", tag = "live", security(("client" = [])),
    params(("live_id" = String, Path)), responses((status = 200, body = inline(Success<RoomView>))))]
pub async fn info(lives: web::Data<Lives>, client: Client, live_id: PathId) -> Answer<RoomView> {
    Ok(Reply::data(lives.view(&live_id.0).await?.shown_to(client.user_id())))
}

/// A room, as its anchor sees it.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/server/live/{live_id}", tag = "live", security(("server" = [])),
    params(("live_id" = String, Path)), responses((status = 200, body = inline(Success<RoomView>))))]
pub async fn info_for_server(lives: web::Data<Lives>, _: Backend, live_id: PathId) -> Answer<RoomView> {
    Ok(Reply::data(lives.view(&live_id.0).await?))
}

/// Starts the live and brings its anchor into the room.
///
/// # Errors
/// 400 after the end, 401, 403 for others than the anchor, 404.
#[utoipa::path(put, path = "/client/live/room/{live_id}", tag = "live", security(("client" = [])),
    params(("live_id" = String, Path)),
    responses((status = 200, body = inline(Success<RoomView>)), (status = 400, description = "The live has ended"),
        (status = 403, description = "Not the anchor")))]
pub async fn start(lives: web::Data<Lives>, client: Client, live_id: PathId) -> Answer<RoomView> {
    Ok(Reply::data(lives.start(&live_id.0, client.user_id()).await?))
}

/// Ends the live.
///
/// # Errors
/// 400 unless live, 401, 403 for others than the anchor, 404.
#[utoipa::path(delete, path = "/client/live/room/{live_id}", tag = "live", security(("client" = [])),
    params(("live_id" = String, Path)),
    responses((status = 200, body = Done), (status = 400, description = "The room is not live"),
        (status = 403, description = "Not the anchor")))]
pub async fn stop(lives: web::Data<Lives>, client: Client, live_id: PathId) -> Answer<()> {
    lives.stop(&live_id.0, client.user_id()).await?;
    Ok(Reply::empty())
}

/// Ends a live.
///
/// # Errors
/// 400 unless live, 401, 404.
#[utoipa::path(post, path = "/server/live/{live_id}/stop", tag = "live", security(("server" = [])),
    params(("live_id" = String, Path)),
    responses((status = 200, body = Done), (status = 400, description = "The room is not live")))]
pub async fn stop_by_server(lives: web::Data<Lives>, _: Backend, live_id: PathId) -> Answer<()> {
    lives.stop_by_server(&live_id.0).await?;
    Ok(Reply::empty())
}

/// Deletes a room; a live is ended first.
///
/// # Errors
/// 401, 403 for others than the anchor, 404.
#[utoipa::path(delete, path = "/client/live/room/instance/{live_id}", tag = "live", security(("client" = [])),
    params(("live_id" = String, Path)),
    responses((status = 200, body = Done), (status = 403, description = "Not the anchor")))]
pub async fn delete(lives: web::Data<Lives>, client: Client, live_id: PathId) -> Answer<()> {
    lives.delete(&live_id.0, Some(client.user_id())).await?;
    Ok(Reply::empty())
}

/// Deletes a room; a live is ended first.
///
/// # Errors
/// 401, 404.
#[utoipa::path(delete, path = "/server/live/{live_id}", tag = "live", security(("server" = [])),
    params(("live_id" = String, Path)), responses((status = 200, body = Done)))]
pub async fn delete_by_server(lives: web::Data<Lives>, _: Backend, live_id: PathId) -> Answer<()> {
    lives.delete(&live_id.0, None).await?;
    Ok(Reply::empty())
}

/// Rooms by status, live first, newest update first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/client/live/room/list", tag = "live", security(("client" = [])),
    params(("live_status" = Option<i64>, Query, description = "-1 created and live (default), 0 created, 1 live, 2 ended"),
        ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<RoomView>>))))]
pub async fn list(lives: web::Data<Lives>, client: Client, params: Params) -> Answer<Page<RoomView>> {
    let wanted = Wanted::of_number(params.number("live_status", -1)?)?;
    let paging = paging(&params)?;
    Ok(Reply::data(lives.list(wanted, client.user_id(), paging).await?))
}

/// One's own rooms, newest start first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/client/live/room/list/anchor", tag = "live", security(("client" = [])),
    params(("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<RoomView>>))))]
pub async fn list_own(lives: web::Data<Lives>, client: Client, params: Params) -> Answer<Page<RoomView>> {
    let paging = paging(&params)?;
    Ok(Reply::data(lives.list_own(client.user_id(), paging).await?))
}

/// Live rooms whose title, id or anchor's id starts with the keyword.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/client/live/room", tag = "live", security(("client" = [])),
    params(("keyword" = Option<String>, Query, description = "At most 128 characters; empty finds all"),
        ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<RoomView>>))))]
pub async fn search(lives: web::Data<Lives>, client: Client, params: Params) -> Answer<Page<RoomView>> {
    let keyword = params.get("keyword").unwrap_or_default();
    if keyword.chars().count() > 128 {
        return Err(Invalid("keyword: has more than 128 characters".to_owned()).into());
    }
    let paging = paging(&params)?;
    Ok(Reply::data(lives.search(keyword, client.user_id(), paging).await?))
}

/// Joins a room and leaves the former one.
///
/// # Errors
/// 400 after the end, 401, 403 for one who is banned, 404.
#[utoipa::path(post, path = "/client/live/room/user/{live_id}", tag = "live", security(("client" = [])),
    params(("live_id" = String, Path)),
    responses((status = 200, body = inline(Success<RoomView>)), (status = 400, description = "The live has ended"),
        (status = 403, description = "Banned from the room")))]
pub async fn join(lives: web::Data<Lives>, client: Client, live_id: PathId) -> Answer<RoomView> {
    Ok(Reply::data(lives.join(&live_id.0, client.user_id()).await?))
}

/// Leaves a room; harmless when not in it.
///
/// # Errors
/// 401, 404.
#[utoipa::path(delete, path = "/client/live/room/user/{live_id}", tag = "live", security(("client" = [])),
    params(("live_id" = String, Path)), responses((status = 200, body = Done)))]
pub async fn leave(lives: web::Data<Lives>, client: Client, live_id: PathId) -> Answer<()> {
    lives.leave(&live_id.0, client.user_id()).await?;
    Ok(Reply::empty())
}

/// Says that the caller is still in the room, and tells the state of the live.
///
/// # Errors
/// 401, 404; 500 for one who is not in the room, as the released SDKs expect.
#[utoipa::path(get, path = "/client/live/room/heartbeat/{live_id}", tag = "live", security(("client" = [])),
    params(("live_id" = String, Path)),
    responses((status = 200, body = inline(Success<HeartbeatView>)),
        (status = 500, description = "The user is not in the room")))]
pub async fn heartbeat(lives: web::Data<Lives>, client: Client, live_id: PathId) -> Answer<HeartbeatView> {
    Ok(Reply::data(lives.heartbeat(&live_id.0, client.user_id()).await?))
}

/// Replaces the room's map.
///
/// # Errors
/// 400, 401, 403 for others than the anchor, 404.
#[utoipa::path(put, path = "/client/live/room/extends", tag = "live", security(("client" = [])),
    request_body = UpdateExtends,
    responses((status = 200, body = Done), (status = 403, description = "Not the anchor"),
        (status = 404, description = "Unknown room")))]
pub async fn set_extends(lives: web::Data<Lives>, client: Client, body: Body<UpdateExtends>) -> Answer<()> {
    let UpdateExtends { live_id, extends } = body.0;
    lives.set_extends(&live_id, client.user_id(), extends).await?;
    Ok(Reply::empty())
}

/// The users in a room, latest first.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/client/live/room/user_list", tag = "live", security(("client" = [])),
    params(("live_id" = String, Query), ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<UserView>>)), (status = 404, description = "Unknown room")))]
pub async fn users(lives: web::Data<Lives>, _: Client, params: Params) -> Answer<Page<UserView>> {
    let live_id = params.get("live_id").ok_or_else(|| Invalid("live_id: must not be empty".to_owned()))?;
    if live_id.chars().count() > 64 {
        return Err(Invalid("live_id: has more than 64 characters".to_owned()).into());
    }
    let paging = paging(&params)?;
    Ok(Reply::data(lives.users(live_id, paging).await?))
}
