//! HTTP to the likes and back.

use actix_web::web;

use super::dto::{LikesView, PutLike};
use super::service::Likes;
use crate::auth::Client;
use crate::rest::envelope::Success;
use crate::rest::{ApiError, Body, PathId, Reply};

/// Gives likes to a room.
///
/// # Errors
/// 400, 401, 403 for the anchor and for one who is not in the room, 404; 503 while likes cannot be
/// counted.
#[utoipa::path(put, path = "/client/live/room/{live_id}/like", tag = "live", security(("client" = [])),
    params(("live_id" = String, Path)), request_body = PutLike,
    responses((status = 200, body = inline(Success<LikesView>)),
        (status = 403, description = "The anchor, or not in the room")))]
pub async fn give(
    likes: web::Data<Likes>,
    client: Client,
    live_id: PathId,
    body: Body<PutLike>,
) -> Result<Reply<LikesView>, ApiError> {
    let count = body.0.count.unwrap_or(1);
    Ok(Reply::data(likes.give(&live_id.0, client.user_id(), count).await?))
}
