//! HTTP to the moderation of rooms and back, for anchors and moderators, administrators and backends
//! alike.

use actix_web::web;

use super::actor::Moderator;
use super::dto::{ChangeSettings, KickOut, ModeratorView, SanctionView, SettingsView};
use super::error::Error;
use super::sanctions::{Kind, NewSanction};
use super::service::Moderation;
use crate::rest::envelope::{Done, Success};
use crate::rest::{ApiError, Body, Params, PathId, PathIds, Reply, paging};
use crate::user::ImposeBan;
use common::page::Page;

type Answer<T> = Result<Reply<T>, ApiError>;
type Service = web::Data<Moderation>;

/// How people may chat in a room.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/client/live/room/{live_id}/moderation", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path)),
    responses((status = 200, body = inline(Success<SettingsView>))))]
pub async fn settings<M: Moderator>(moderation: Service, _: M, live_id: PathId) -> Answer<SettingsView> {
    Ok(Reply::data(moderation.settings(&live_id.0).await?))
}

/// Changes how people may chat in a room; what is absent is left alone.
///
/// # Errors
/// 400, 401, 403 for others than the anchor and moderators, 404.
#[utoipa::path(put, path = "/client/live/room/{live_id}/moderation", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path)), request_body = ChangeSettings,
    responses((status = 200, body = inline(Success<SettingsView>)),
        (status = 403, description = "Neither the anchor nor a moderator")))]
pub async fn change_settings<M: Moderator>(
    moderation: Service,
    moderator: M,
    live_id: PathId,
    body: Body<ChangeSettings>,
) -> Answer<SettingsView> {
    let after = moderation.change_settings(&live_id.0, moderator.actor(), body.0).await?;
    Ok(Reply::data(after))
}

/// The moderators of a room, the first one first.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/client/live/room/{live_id}/moderation/moderators", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path), ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<ModeratorView>>))))]
pub async fn moderators<M: Moderator>(
    moderation: Service,
    _: M,
    live_id: PathId,
    params: Params,
) -> Answer<Page<ModeratorView>> {
    let paging = paging(&params)?;
    Ok(Reply::data(moderation.list_moderators(&live_id.0, paging).await?))
}

/// Makes a user a moderator of a room; harmless when they are one.
///
/// # Errors
/// 400 for the anchor, for one who is banned, and for more than 100; 401, 403 for others than the anchor, 404.
#[utoipa::path(put, path = "/client/live/room/{live_id}/moderation/moderators/{user_id}", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path), ("user_id" = String, Path)),
    responses((status = 200, body = Done),
        (status = 403, description = "Not the anchor")))]
pub async fn appoint<M: Moderator>(moderation: Service, moderator: M, ids: PathIds<2>) -> Answer<()> {
    let [live_id, user_id] = &ids.0;
    moderation.appoint(live_id, moderator.actor(), user_id).await?;
    Ok(Reply::empty())
}

/// A user is no moderator of a room any more; harmless when they are none.
///
/// # Errors
/// 401, 403 for others than the anchor, 404.
#[utoipa::path(delete, path = "/client/live/room/{live_id}/moderation/moderators/{user_id}", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path), ("user_id" = String, Path)),
    responses((status = 200, body = Done),
        (status = 403, description = "Not the anchor")))]
pub async fn dismiss<M: Moderator>(moderation: Service, moderator: M, ids: PathIds<2>) -> Answer<()> {
    let [live_id, user_id] = &ids.0;
    moderation.dismiss(live_id, moderator.actor(), user_id).await?;
    Ok(Reply::empty())
}

/// Users who may not write in a room, the latest mute first.
///
/// # Errors
/// 400, 401, 403 for others than the anchor and moderators, 404.
#[utoipa::path(get, path = "/client/live/room/{live_id}/moderation/mutes", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path), ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<SanctionView>>)),
        (status = 403, description = "Neither the anchor nor a moderator")))]
pub async fn mutes<M: Moderator>(
    moderation: Service,
    moderator: M,
    live_id: PathId,
    params: Params,
) -> Answer<Page<SanctionView>> {
    list(&moderation, Kind::Mute, &moderator, &live_id.0, &params).await
}

/// Keeps a user from writing in a room, instead of a mute that there is.
///
/// # Errors
/// 400 for the anchor and for more than 10,000; 401, 403 for others than the anchor and moderators, and of a
/// moderator on another one; 404.
#[utoipa::path(put, path = "/client/live/room/{live_id}/moderation/mutes/{user_id}", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path), ("user_id" = String, Path)), request_body = ImposeBan,
    responses((status = 200, body = Done),
        (status = 403, description = "Neither the anchor nor a moderator, or of a moderator on another one")))]
pub async fn mute<M: Moderator>(
    moderation: Service,
    moderator: M,
    ids: PathIds<2>,
    body: Body<ImposeBan>,
) -> Answer<()> {
    impose(&moderation, Kind::Mute, &moderator, &ids.0, body.0).await
}

/// Lets a user write in a room again; harmless when there is no mute.
///
/// # Errors
/// 400 for the anchor, 401, 403 for others than the anchor and moderators, and of a moderator on another
/// one; 404.
#[utoipa::path(delete, path = "/client/live/room/{live_id}/moderation/mutes/{user_id}", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path), ("user_id" = String, Path)),
    responses((status = 200, body = Done),
        (status = 403, description = "Neither the anchor nor a moderator, or of a moderator on another one")))]
pub async fn unmute<M: Moderator>(moderation: Service, moderator: M, ids: PathIds<2>) -> Answer<()> {
    lift(&moderation, Kind::Mute, &moderator, &ids.0).await
}

/// Users who may not enter a room, the latest ban first.
///
/// # Errors
/// 400, 401, 403 for others than the anchor and moderators, 404.
#[utoipa::path(get, path = "/client/live/room/{live_id}/moderation/bans", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path), ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<SanctionView>>)),
        (status = 403, description = "Neither the anchor nor a moderator")))]
pub async fn bans<M: Moderator>(
    moderation: Service,
    moderator: M,
    live_id: PathId,
    params: Params,
) -> Answer<Page<SanctionView>> {
    list(&moderation, Kind::Ban, &moderator, &live_id.0, &params).await
}

/// Takes a user out of a room and keeps them out, instead of a ban that there is.
///
/// # Errors
/// 400 for the anchor and for more than 10,000; 401, 403 for others than the anchor and moderators, and of a
/// moderator on another one; 404.
#[utoipa::path(put, path = "/client/live/room/{live_id}/moderation/bans/{user_id}", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path), ("user_id" = String, Path)), request_body = ImposeBan,
    responses((status = 200, body = Done),
        (status = 403, description = "Neither the anchor nor a moderator, or of a moderator on another one")))]
pub async fn ban<M: Moderator>(
    moderation: Service,
    moderator: M,
    ids: PathIds<2>,
    body: Body<ImposeBan>,
) -> Answer<()> {
    impose(&moderation, Kind::Ban, &moderator, &ids.0, body.0).await
}

/// Lets a user enter a room again; harmless when there is no ban.
///
/// # Errors
/// 400 for the anchor, 401, 403 for others than the anchor and moderators, and of a moderator on another
/// one; 404.
#[utoipa::path(delete, path = "/client/live/room/{live_id}/moderation/bans/{user_id}", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path), ("user_id" = String, Path)),
    responses((status = 200, body = Done),
        (status = 403, description = "Neither the anchor nor a moderator, or of a moderator on another one")))]
pub async fn unban<M: Moderator>(moderation: Service, moderator: M, ids: PathIds<2>) -> Answer<()> {
    lift(&moderation, Kind::Ban, &moderator, &ids.0).await
}

/// Takes a user out of a room; they may come back.
///
/// # Errors
/// 400 for the anchor, 401, 403 for others than the anchor and moderators, and of a moderator on another
/// one; 404.
#[utoipa::path(post, path = "/client/live/room/{live_id}/moderation/kick/{user_id}", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path), ("user_id" = String, Path)), request_body = KickOut,
    responses((status = 200, body = Done),
        (status = 403, description = "Neither the anchor nor a moderator, or of a moderator on another one")))]
pub async fn kick<M: Moderator>(
    moderation: Service,
    moderator: M,
    ids: PathIds<2>,
    body: Body<KickOut>,
) -> Answer<()> {
    let [live_id, user_id] = &ids.0;
    let reason = body.0.reason.unwrap_or_default();
    moderation.kick(live_id, moderator.actor(), user_id, &reason).await?;
    Ok(Reply::empty())
}

/// Deletes a message of a room: it is shown as deleted from then on.
///
/// # Errors
/// 400, 401, 403 for others than the anchor and moderators; 404, also for a message that is not kept.
#[utoipa::path(delete, path = "/client/live/room/{live_id}/moderation/messages/{epoch}/{offset}", tag = "moderation", security(("client" = [])),
    params(("live_id" = String, Path), ("epoch" = String, Path, description = "16 hex digits"), ("offset" = u64, Path)),
    responses((status = 200, body = Done),
        (status = 403, description = "Neither the anchor nor a moderator")))]
pub async fn delete_message<M: Moderator>(moderation: Service, moderator: M, ids: PathIds<3>) -> Answer<()> {
    let [live_id, epoch, offset] = &ids.0;
    let is_hex = epoch.len() == 16 && epoch.bytes().all(|digit| digit.is_ascii_hexdigit());
    let epoch = u64::from_str_radix(epoch, 16).ok().filter(|_| is_hex);
    let epoch = epoch.ok_or_else(|| Error::Invalid("epoch: is not 16 hex digits".to_owned()))?;
    let offset = offset.parse().map_err(|_| Error::Invalid("offset: is not a number".to_owned()))?;
    moderation.delete_message(live_id, moderator.actor(), epoch, offset).await?;
    Ok(Reply::empty())
}

async fn list(
    moderation: &Moderation,
    kind: Kind,
    moderator: &impl Moderator,
    live_id: &str,
    params: &Params,
) -> Answer<Page<SanctionView>> {
    let paging = paging(params)?;
    Ok(Reply::data(moderation.list_sanctions(kind, live_id, moderator.actor(), paging).await?))
}

async fn impose(
    moderation: &Moderation,
    kind: Kind,
    moderator: &impl Moderator,
    [live_id, user_id]: &[String; 2],
    body: ImposeBan,
) -> Answer<()> {
    let new = NewSanction { duration: body.duration(), reason: body.reason.unwrap_or_default() };
    moderation.impose(kind, live_id, moderator.actor(), user_id, &new).await?;
    Ok(Reply::empty())
}

async fn lift(
    moderation: &Moderation,
    kind: Kind,
    moderator: &impl Moderator,
    [live_id, user_id]: &[String; 2],
) -> Answer<()> {
    moderation.lift(kind, live_id, moderator.actor(), user_id).await?;
    Ok(Reply::empty())
}
