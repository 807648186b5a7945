//! HTTP to the gifts and back.

use actix_web::web;

use super::dto::{
    GiftType, GiftView, Kind, SaveGiftType, SaveGiftTypes, SendGift, SendGiftFor, TestPaid,
    TestPaymentRequest,
};
use super::error::Error;
use super::send_key::IdempotencyKey;
use super::service::Gifts;
use crate::auth::{Admin, Backend, Client};
use crate::event::GiftRow;
use crate::rest::envelope::{Done, Success};
use crate::rest::rate_limit::{AddressLimit, LimitsAddresses};
use crate::rest::{ApiError, Body, Invalid, Params, PathId, Reply, paging};
use common::page::Page;

type Answer<T> = Result<Reply<T>, ApiError>;

fn gift_id(id: &PathId) -> Result<i32, Invalid> {
    id.0.parse().map_err(|_| Invalid("gift_id: is not an integer".to_owned()))
}

/// Gift types of one kind by their order, then the newest first; -1 is all.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/client/gift/config/{type}", tag = "gift", security(("client" = [])),
    params(("type" = i32, Path)), responses((status = 200, body = inline(Success<Vec<GiftType>>))))]
pub async fn types(gifts: web::Data<Gifts>, _: Client, kind: Kind) -> Answer<Vec<GiftType>> {
    Ok(Reply::data(gifts.types().list(kind.0).await?))
}

/// Gift types, for a backend.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/server/gift/config/{id}", tag = "gift", security(("server" = [])),
    params(("id" = i32, Path, description = "The kind; -1 is all")), responses((status = 200, body = inline(Success<Vec<GiftType>>))))]
pub async fn types_for_server(gifts: web::Data<Gifts>, _: Backend, kind: Kind) -> Answer<Vec<GiftType>> {
    Ok(Reply::data(gifts.types().list(kind.0).await?))
}

/// Gift types, for an operator.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/admin/gift/config/{id}", tag = "gift", security(("admin" = [])),
    params(("id" = i32, Path, description = "The kind; -1 is all")), responses((status = 200, body = inline(Success<Vec<GiftType>>))))]
pub async fn types_for_admin(gifts: web::Data<Gifts>, _: Admin, kind: Kind) -> Answer<Vec<GiftType>> {
    Ok(Reply::data(gifts.types().list(kind.0).await?))
}

/// Stores a gift type, or 1 to 200 of them, each under its id.
///
/// # Errors
/// 400, 401.
#[utoipa::path(post, path = "/server/gift/config", tag = "gift", security(("server" = [])),
    request_body(content = Vec<SaveGiftType>, description = "An array, or a single object"),
    responses((status = 200, body = Done)))]
pub async fn save_types(gifts: web::Data<Gifts>, _: Backend, body: SaveGiftTypes) -> Answer<()> {
    gifts.types().save(&body.0).await?;
    Ok(Reply::empty())
}

/// Stores gift types, as an operator.
///
/// # Errors
/// 400, 401.
#[utoipa::path(post, path = "/admin/gift/config", tag = "gift", security(("admin" = [])),
    request_body(content = Vec<SaveGiftType>, description = "An array, or a single object"),
    responses((status = 200, body = Done)))]
pub async fn save_types_by_admin(gifts: web::Data<Gifts>, _: Admin, body: SaveGiftTypes) -> Answer<()> {
    gifts.types().save(&body.0).await?;
    Ok(Reply::empty())
}

/// Deletes a gift type. Gifts of it that were sent stay.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(delete, path = "/server/gift/config/{id}", tag = "gift", security(("server" = [])),
    params(("id" = i32, Path, description = "The gift type")), responses((status = 200, body = Done)))]
pub async fn delete_type(gifts: web::Data<Gifts>, _: Backend, id: PathId) -> Answer<()> {
    gifts.types().delete(gift_id(&id)?).await?;
    Ok(Reply::empty())
}

/// Deletes a gift type, as an operator.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(delete, path = "/admin/gift/config/{id}", tag = "gift", security(("admin" = [])),
    params(("id" = i32, Path, description = "The gift type")), responses((status = 200, body = Done)))]
pub async fn delete_type_by_admin(gifts: web::Data<Gifts>, _: Admin, id: PathId) -> Answer<()> {
    gifts.types().delete(gift_id(&id)?).await?;
    Ok(Reply::empty())
}

/// Sends a gift to the anchor of the room that the caller is in. With the header `Idempotency-Key`, or
/// `biz_id`, a repeated call answers the outcome of the first.
///
/// # Errors
/// 400, 401, 402 when it is not paid, 403 for who is not in the room, 404.
#[utoipa::path(post, path = "/client/gift/send", tag = "gift", security(("client" = [])),
    request_body = SendGift,
    responses((status = 200, body = inline(Success<GiftRow>)),
        (status = 402, description = "Not paid: code and message of the payment service; or not known yet: code 20002. \
            `data` has `biz_id` and `status`"),
        (status = 403, description = "The caller is not in the room"),
        (status = 404, description = "Unknown room or gift type")))]
pub async fn send(
    gifts: web::Data<Gifts>,
    client: Client,
    key: IdempotencyKey,
    body: Body<SendGift>,
) -> Answer<GiftRow> {
    let key = key.or_of_body(body.0.biz_id.as_deref())?;
    Ok(Reply::data(gifts.send(client.user_id(), body.0, key).await?))
}

/// Sends a gift in a user's name, under an id of the caller's own. A repeated call answers the outcome of
/// the first; with `redo` the payment service is asked again, if the outcome is unknown.
///
/// # Errors
/// 400, 401, 402 when it is not paid, 403 for a sender who is not in the room, 404.
#[utoipa::path(put, path = "/server/gift/live/{live_id}", tag = "gift", security(("server" = [])),
    params(("live_id" = String, Path)), request_body = SendGiftFor,
    responses((status = 200, body = inline(Success<GiftRow>)),
        (status = 402, description = "Not paid: code and message of the payment service; or not known yet: code 20002. \
            `data` has `biz_id` and `status`"),
        (status = 403, description = "The sender is not in the room"),
        (status = 404, description = "Unknown room, sender or gift type")))]
pub async fn send_for(
    gifts: web::Data<Gifts>,
    _: Backend,
    live_id: PathId,
    body: Body<SendGiftFor>,
) -> Answer<GiftRow> {
    let gift_id = body.0.gift_id()?;
    Ok(Reply::data(gifts.send_for(&live_id.0, gift_id, body.0).await?))
}

/// A gift, for its sender.
///
/// # Errors
/// 401, 403 for anybody else, 404.
#[utoipa::path(get, path = "/client/gift/{biz_id}", tag = "gift", security(("client" = [])),
    params(("biz_id" = String, Path)),
    responses((status = 200, body = inline(Success<GiftView>)), (status = 403, description = "Not the sender")))]
pub async fn find(gifts: web::Data<Gifts>, client: Client, biz_id: PathId) -> Answer<GiftView> {
    Ok(Reply::data(gifts.find(&biz_id.0, Some(client.user_id())).await?))
}

/// A gift, for a backend.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/server/gift/{biz_id}", tag = "gift", security(("server" = [])),
    params(("biz_id" = String, Path)), responses((status = 200, body = inline(Success<GiftView>))))]
pub async fn find_for_server(gifts: web::Data<Gifts>, _: Backend, biz_id: PathId) -> Answer<GiftView> {
    Ok(Reply::data(gifts.find(&biz_id.0, None).await?))
}

/// The gifts of a room, for its anchor, the newest first.
///
/// # Errors
/// 400, 401, 403 for others than the anchor, 404.
#[utoipa::path(get, path = "/client/gift/list/live/{live_id}", tag = "gift", security(("client" = [])),
    params(("live_id" = String, Path), ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<GiftView>>)), (status = 403, description = "Not the anchor")))]
pub async fn of_room(
    gifts: web::Data<Gifts>,
    client: Client,
    live_id: PathId,
    params: Params,
) -> Answer<Page<GiftView>> {
    let paging = paging(&params)?;
    Ok(Reply::data(gifts.of_room_for(&live_id.0, client.user_id(), paging).await?))
}

/// The gifts that the caller got, the newest first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/client/gift/list/anchor", tag = "gift", security(("client" = [])),
    params(("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<GiftView>>))))]
pub async fn received(gifts: web::Data<Gifts>, client: Client, params: Params) -> Answer<Page<GiftView>> {
    let paging = paging(&params)?;
    Ok(Reply::data(gifts.received(client.user_id(), paging).await?))
}

/// The gifts that the caller sent, the newest first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/client/gift/list/user", tag = "gift", security(("client" = [])),
    params(("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<GiftView>>))))]
pub async fn given(gifts: web::Data<Gifts>, client: Client, params: Params) -> Answer<Page<GiftView>> {
    let paging = paging(&params)?;
    Ok(Reply::data(gifts.given(client.user_id(), paging).await?))
}

/// The gifts of a room, for a backend; of a deleted room too.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/server/gift/list/live/{live_id}", tag = "gift", security(("server" = [])),
    params(("live_id" = String, Path), ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<GiftView>>))))]
pub async fn of_room_for_server(
    gifts: web::Data<Gifts>,
    _: Backend,
    live_id: PathId,
    params: Params,
) -> Answer<Page<GiftView>> {
    Ok(Reply::data(gifts.of_room(&live_id.0, paging(&params)?).await?))
}

/// The gifts that an anchor got, the newest first.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/server/gift/list/anchor/{id}", tag = "gift", security(("server" = [])),
    params(("id" = String, Path), ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<GiftView>>))))]
pub async fn received_for_server(
    gifts: web::Data<Gifts>,
    _: Backend,
    id: PathId,
    params: Params,
) -> Answer<Page<GiftView>> {
    Ok(Reply::data(gifts.received(&id.0, paging(&params)?).await?))
}

/// The gifts that a user sent, the newest first.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/server/gift/list/user/{id}", tag = "gift", security(("server" = [])),
    params(("id" = String, Path), ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<GiftView>>))))]
pub async fn given_for_server(
    gifts: web::Data<Gifts>,
    _: Backend,
    id: PathId,
    params: Params,
) -> Answer<Page<GiftView>> {
    Ok(Reply::data(gifts.given(&id.0, paging(&params)?).await?))
}

/// The stand-in payment service: whether it is in use, and how often an address may ask.
pub struct TestPayment {
    /// `gift.gift_addr` leads here, or the server runs alone, on its embedded database.
    pub is_in_use: bool,
    /// Calls per address.
    pub limit: AddressLimit,
}

impl LimitsAddresses for TestPayment {
    fn of_address(&self) -> &AddressLimit {
        &self.limit
    }
}

/// A stand-in payment service that says paid to everything, where `gift.gift_addr` leads to it or the
/// server runs alone, on its embedded database.
///
/// # Errors
/// 400, 404 where it is not in use, 429.
#[utoipa::path(post, path = "/manager/gift/test", tag = "gift", request_body = TestPaymentRequest,
    responses((status = 200, body = inline(Success<TestPaid>)), (status = 404, description = "Not in use")))]
pub async fn test_payment(test: web::Data<TestPayment>, _: Body<TestPaymentRequest>) -> Answer<TestPaid> {
    if !test.is_in_use {
        return Err(Error::NotInUse.into());
    }
    Ok(Reply::data(TestPaid { status: 1 }))
}
