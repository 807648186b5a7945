//! HTTP to the items and back, for anchors and backends alike.

use actix_web::web;

use super::dto::{
    AddItems, DeleteItems, KeyValue, MergeExtends, MoveItem, SetOrders, SetStatuses, UpdateItem,
};
use super::seller::Seller;
use super::service::Items;
use super::view::ItemView;
use crate::rest::envelope::{Done, Success};
use crate::rest::{ApiError, Body, PathId, PathIds, Reply};
use common::text::Extends;

type Answer<T> = Result<Reply<T>, ApiError>;

/// Appends items to a room.
///
/// # Errors
/// 400 with 20001 for more than 100, with 10001 for one that is there; 401, 403 for others than the
/// anchor, 404.
#[utoipa::path(post, path = "/client/item/add", tag = "item", security(("client" = [])),
    request_body = AddItems,
    responses((status = 200, body = Done),
        (status = 400, description = "Invalid; 10001: the item exists; 20001: more than 100 items"),
        (status = 403, description = "Not the anchor"), (status = 404, description = "Unknown room")))]
pub async fn add<S: Seller>(items: web::Data<Items>, seller: S, body: Body<AddItems>) -> Answer<()> {
    let AddItems { live_id, items: new } = body.0;
    items.add(&live_id, seller.user_id(), &new).await?;
    Ok(Reply::empty())
}

/// Takes items out of a room. The one that is being demonstrated stays.
///
/// # Errors
/// 400, 401, 403 for others than the anchor, 404.
#[utoipa::path(post, path = "/client/item/delete", tag = "item", security(("client" = [])),
    request_body = DeleteItems,
    responses((status = 200, body = Done), (status = 403, description = "Not the anchor"),
        (status = 404, description = "Unknown room")))]
pub async fn delete<S: Seller>(items: web::Data<Items>, seller: S, body: Body<DeleteItems>) -> Answer<()> {
    items.delete(&body.0.live_id, seller.user_id(), &body.0.items).await?;
    Ok(Reply::empty())
}

/// Hides items, or shows them.
///
/// # Errors
/// 400, 401, 403 for others than the anchor, 404.
#[utoipa::path(post, path = "/client/item/status", tag = "item", security(("client" = [])),
    request_body = SetStatuses,
    responses((status = 200, body = Done), (status = 403, description = "Not the anchor"),
        (status = 404, description = "Unknown room")))]
pub async fn set_statuses<S: Seller>(
    items: web::Data<Items>,
    seller: S,
    body: Body<SetStatuses>,
) -> Answer<()> {
    items.set_statuses(&body.0.live_id, seller.user_id(), &body.0.items).await?;
    Ok(Reply::empty())
}

/// Gives items other orders.
///
/// # Errors
/// 400, also for an order that another item has; 401, 403 for others than the anchor, 404.
#[utoipa::path(post, path = "/client/item/order", tag = "item", security(("client" = [])),
    request_body = SetOrders,
    responses((status = 200, body = Done), (status = 400, description = "Invalid, or an order is taken"),
        (status = 403, description = "Not the anchor"), (status = 404, description = "Unknown room")))]
pub async fn set_orders<S: Seller>(items: web::Data<Items>, seller: S, body: Body<SetOrders>) -> Answer<()> {
    items.set_orders(&body.0.live_id, seller.user_id(), &body.0.items).await?;
    Ok(Reply::empty())
}

/// Moves one item; those between its two places shift by one.
///
/// # Errors
/// 400, also when the item's order is another; 401, 403 for others than the anchor, 404.
#[utoipa::path(post, path = "/client/item/order/single", tag = "item", security(("client" = [])),
    request_body = MoveItem,
    responses((status = 200, body = Done), (status = 400, description = "Invalid, or the order is another"),
        (status = 403, description = "Not the anchor"), (status = 404, description = "Unknown room or item")))]
pub async fn move_item<S: Seller>(items: web::Data<Items>, seller: S, body: Body<MoveItem>) -> Answer<()> {
    let MoveItem { live_id, item_id, from, to } = body.0;
    items.move_item(&live_id, seller.user_id(), &item_id, from, to).await?;
    Ok(Reply::empty())
}

/// Changes an item; what is absent or empty is left alone, `extends` is merged.
///
/// # Errors
/// 400, 401, 403 for others than the anchor, 404.
#[utoipa::path(put, path = "/client/item/{live_id}/{item_id}", tag = "item", security(("client" = [])),
    params(("live_id" = String, Path), ("item_id" = String, Path)), request_body = UpdateItem,
    responses((status = 200, body = Done), (status = 403, description = "Not the anchor")))]
pub async fn update<S: Seller>(
    items: web::Data<Items>,
    seller: S,
    ids: PathIds<2>,
    body: Body<UpdateItem>,
) -> Answer<()> {
    let PathIds([live_id, item_id]) = ids;
    items.update(&live_id, seller.user_id(), &item_id, &body.0).await?;
    Ok(Reply::empty())
}

/// Sets keys in an item's map, from the bare map.
///
/// # Errors
/// 400, 401, 403 for others than the anchor, 404.
#[utoipa::path(put, path = "/client/item/{live_id}/{item_id}/extends", tag = "item", security(("client" = [])),
    params(("live_id" = String, Path), ("item_id" = String, Path)), request_body = MergeExtends,
    responses((status = 200, body = Done), (status = 403, description = "Not the anchor")))]
pub async fn merge_extends<S: Seller>(
    items: web::Data<Items>,
    seller: S,
    ids: PathIds<2>,
    body: Body<MergeExtends>,
) -> Answer<()> {
    merge(&items, &seller, ids, body.0.0).await
}

/// Sets one key in an item's map.
///
/// # Errors
/// 400, 401, 403 for others than the anchor, 404.
#[utoipa::path(post, path = "/client/item/{live_id}/{item_id}/extends", tag = "item", security(("client" = [])),
    params(("live_id" = String, Path), ("item_id" = String, Path)), request_body = KeyValue,
    responses((status = 200, body = Done), (status = 403, description = "Not the anchor")))]
pub async fn set_extend<S: Seller>(
    items: web::Data<Items>,
    seller: S,
    ids: PathIds<2>,
    body: Body<KeyValue>,
) -> Answer<()> {
    let KeyValue { key, value } = body.0;
    merge(&items, &seller, ids, Extends::from([(key, value)])).await
}

async fn merge(items: &Items, seller: &impl Seller, ids: PathIds<2>, extends: Extends) -> Answer<()> {
    let PathIds([live_id, item_id]) = ids;
    let change = UpdateItem { extends: Some(extends), ..UpdateItem::default() };
    items.update(&live_id, seller.user_id(), &item_id, &change).await?;
    Ok(Reply::empty())
}

/// The items of a room, the demonstrated one first, then the highest order first. Hidden ones only for
/// its anchor and for backends.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/client/item/{live_id}", tag = "item", security(("client" = [])),
    params(("live_id" = String, Path)), responses((status = 200, body = inline(Success<Vec<ItemView>>))))]
pub async fn list<S: Seller>(items: web::Data<Items>, viewer: S, live_id: PathId) -> Answer<Vec<ItemView>> {
    Ok(Reply::data(items.list(&live_id.0, viewer.user_id()).await?))
}
