//! HTTP to the explanations and their recordings, and back, for anchors and backends alike.

use actix_web::web;

use super::dto::{DeleteRecords, DeletedRecords};
use super::seller::Seller;
use super::service::Items;
use super::view::{ItemView, RecordView};
use crate::rest::envelope::{Done, Success};
use crate::rest::{ApiError, Body, PathId, PathIds, Reply};

type Answer<T> = Result<Reply<T>, ApiError>;

/// Explains an item, instead of the one before.
///
/// # Errors
/// 400 for a hidden item and after the end of the live, 401, 403 for others than the anchor, 404.
#[utoipa::path(post, path = "/client/item/demonstrate/{live_id}/{item_id}", tag = "item", security(("client" = [])),
    params(("live_id" = String, Path), ("item_id" = String, Path)),
    responses((status = 200, body = Done), (status = 400, description = "Hidden, or the live has ended"),
        (status = 403, description = "Not the anchor")))]
pub async fn demonstrate<S: Seller>(items: web::Data<Items>, seller: S, ids: PathIds<2>) -> Answer<()> {
    let PathIds([live_id, item_id]) = ids;
    items.demonstrate(&live_id, seller.user_id(), &item_id, false).await?;
    Ok(Reply::empty())
}

/// Explains an item and records that.
///
/// # Errors
/// 400 for a hidden item and after the end of the live, 401, 403 for others than the anchor, 404.
#[utoipa::path(post, path = "/client/item/demonstrate/start/{live_id}/{item_id}", tag = "item", security(("client" = [])),
    params(("live_id" = String, Path), ("item_id" = String, Path)),
    responses((status = 200, body = Done), (status = 400, description = "Hidden, or the live has ended"),
        (status = 403, description = "Not the anchor")))]
pub async fn record<S: Seller>(items: web::Data<Items>, seller: S, ids: PathIds<2>) -> Answer<()> {
    let PathIds([live_id, item_id]) = ids;
    items.demonstrate(&live_id, seller.user_id(), &item_id, true).await?;
    Ok(Reply::empty())
}

/// Ends the explanation, and saves its recording. `data` is the recording, and left out when there was
/// none; one that could not be saved has the status 3.
///
/// # Errors
/// 401, 403 for others than the anchor, 404.
#[utoipa::path(delete, path = "/client/item/demonstrate/{live_id}", tag = "item", security(("client" = [])),
    params(("live_id" = String, Path)),
    responses((status = 200, body = inline(Success<RecordView>)), (status = 403, description = "Not the anchor")))]
pub async fn end<S: Seller>(items: web::Data<Items>, seller: S, live_id: PathId) -> Answer<RecordView> {
    Ok(Reply::maybe(items.end(&live_id.0, seller.user_id()).await?))
}

/// Ends the explanation, whichever item it is of.
///
/// # Errors
/// 401, 403 for others than the anchor, 404.
#[utoipa::path(delete, path = "/client/item/demonstrate/{live_id}/{item_id}", tag = "item", security(("client" = [])),
    params(("live_id" = String, Path), ("item_id" = String, Path)),
    responses((status = 200, body = inline(Success<RecordView>)), (status = 403, description = "Not the anchor")))]
pub async fn end_of_item<S: Seller>(
    items: web::Data<Items>,
    seller: S,
    ids: PathIds<2>,
) -> Answer<RecordView> {
    let PathIds([live_id, _]) = ids;
    Ok(Reply::maybe(items.end(&live_id, seller.user_id()).await?))
}

/// The item that is being explained, or null.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/client/item/demonstrate/{live_id}", tag = "item", security(("client" = [])),
    params(("live_id" = String, Path)), responses((status = 200, body = inline(Success<Option<ItemView>>))))]
pub async fn demonstrated<S: Seller>(
    items: web::Data<Items>,
    viewer: S,
    live_id: PathId,
) -> Answer<Option<ItemView>> {
    Ok(Reply::data(items.demonstrated(&live_id.0, viewer.user_id()).await?))
}

/// The recordings of a room, in the order in which they were made.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/client/item/demonstrate/record/{live_id}", tag = "item", security(("client" = [])),
    params(("live_id" = String, Path)), responses((status = 200, body = inline(Success<Vec<RecordView>>))))]
pub async fn records<S: Seller>(items: web::Data<Items>, _: S, live_id: PathId) -> Answer<Vec<RecordView>> {
    Ok(Reply::data(items.records(&live_id.0).await?))
}

/// The newest recording of an item that can be played.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/client/item/demonstrate/record/{live_id}/{item_id}", tag = "item", security(("client" = [])),
    params(("live_id" = String, Path), ("item_id" = String, Path)),
    responses((status = 200, body = inline(Success<RecordView>))))]
pub async fn newest_record<S: Seller>(items: web::Data<Items>, _: S, ids: PathIds<2>) -> Answer<RecordView> {
    let PathIds([live_id, item_id]) = ids;
    Ok(Reply::data(items.newest_record(&live_id, &item_id).await?))
}

/// Deletes recordings; answers those that could not be deleted.
///
/// # Errors
/// 400, 401, 403 for others than the anchor, 404.
#[utoipa::path(post, path = "/client/item/demonstrate/record/delete", tag = "item", security(("client" = [])),
    request_body = DeleteRecords,
    responses((status = 200, body = inline(Success<DeletedRecords>)), (status = 403, description = "Not the anchor"),
        (status = 404, description = "Unknown room")))]
pub async fn delete_records<S: Seller>(
    items: web::Data<Items>,
    seller: S,
    body: Body<DeleteRecords>,
) -> Answer<DeletedRecords> {
    let DeleteRecords { live_id, demonstrate_item } = body.0;
    Ok(Reply::data(items.delete_records(&live_id, seller.user_id(), &demonstrate_item).await?))
}
