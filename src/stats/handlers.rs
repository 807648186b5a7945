//! HTTP to the statistics and back.

use actix_web::web;

use super::dto::{Report, RoomStatistics};
use super::service::Stats;
use crate::auth::{Admin, Client, WriteLimit};
use crate::rest::envelope::{Done, Success};
use crate::rest::{ApiError, Body, PathId, Reply};

/// How many rows of a report count as one more writing call.
const ROWS_PER_WRITE: usize = 10;

/// Adds counts of what the caller did in rooms.
///
/// # Errors
/// 400, 401; 429 beyond `limits.writes_per_user_s` and `limits.stats_rows_per_room`.
#[utoipa::path(post, path = "/client/stats/singleLive", tag = "stats", security(("client" = [])),
    request_body = Report, responses((status = 200, body = Done)))]
pub async fn report(
    stats: web::Data<Stats>,
    writes: web::Data<WriteLimit>,
    client: Client,
    body: Body<Report>,
) -> Result<Reply<()>, ApiError> {
    writes.0.check_many(client.user_id(), body.0.data.len() / ROWS_PER_WRITE)?;
    stats.report(client.user_id(), &body.0).await?;
    Ok(Reply::empty())
}

/// What was counted in a room.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/client/stats/singleLive/{live_id}", tag = "stats", security(("client" = [])),
    params(("live_id" = String, Path)), responses((status = 200, body = inline(Success<RoomStatistics>))))]
pub async fn of_room(
    stats: web::Data<Stats>,
    _: Client,
    live_id: PathId,
) -> Result<Reply<RoomStatistics>, ApiError> {
    Ok(Reply::data(stats.of_room(&live_id.0).await?))
}

/// What was counted in a room, for administrators.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/admin/live/{live_id}/stats", tag = "stats", security(("admin" = [])),
    params(("live_id" = String, Path)), responses((status = 200, body = inline(Success<RoomStatistics>))))]
pub async fn of_room_for_admin(
    stats: web::Data<Stats>,
    _: Admin,
    live_id: PathId,
) -> Result<Reply<RoomStatistics>, ApiError> {
    Ok(Reply::data(stats.of_room(&live_id.0).await?))
}
