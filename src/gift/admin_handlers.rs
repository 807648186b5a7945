//! HTTP to the ledger of gifts and back, for administrators.

use actix_web::web;

use super::admin_dto::{AdminGift, RefundGift, ResolveGift};
use super::correction::Corrected;
use super::export::Selection;
use super::row::GiftStatus;
use super::service::Gifts;
use crate::auth::Admin;
use crate::rest::envelope::Success;
use crate::rest::{ApiError, Body, Invalid, Params, PathId, Reply, paging};
use common::page::Page;

type Answer<T> = Result<Reply<T>, ApiError>;

/// Gifts, the newest first; all that is given must hold.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/admin/gift/list", tag = "gift", security(("admin" = [])),
    params(("status" = Option<String>, Query, description = "waiting, paid or refused"),
        ("flagged" = Option<bool>, Query, description = "true: only those that somebody should look at"),
        ("live_id" = Option<String>, Query, description = "Of one room"),
        ("user_id" = Option<String>, Query, description = "Of one sender"),
        ("anchor_id" = Option<String>, Query, description = "To one anchor"),
        ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<AdminGift>>))))]
pub async fn list(gifts: web::Data<Gifts>, _: Admin, params: Params) -> Answer<Page<AdminGift>> {
    let id = |name| params.text(name, 64).map(|id| id.map(str::to_owned));
    let selection = Selection {
        status: params.get("status").map(status).transpose()?,
        is_flagged: params.get("flagged").map(flag).transpose()?.unwrap_or_default(),
        live_id: id("live_id")?,
        user_id: id("user_id")?,
        anchor_id: id("anchor_id")?,
        ..Selection::default()
    };
    Ok(Reply::data(gifts.list_for_admin(&selection, paging(&params)?).await?))
}

/// Ends a gift whose outcome nobody knows, as the payment service's answer would, or sees to a flagged
/// one.
///
/// # Errors
/// 400 when the gift's state does not allow it, 401, 404.
#[utoipa::path(post, path = "/admin/gift/{biz_id}/resolve", tag = "gift", security(("admin" = [])),
    params(("biz_id" = String, Path)), request_body = ResolveGift,
    responses((status = 200, body = inline(Success<AdminGift>))))]
pub async fn resolve(
    gifts: web::Data<Gifts>,
    admin: Admin,
    biz_id: PathId,
    body: Body<ResolveGift>,
) -> Answer<AdminGift> {
    let ResolveGift { verdict, reason } = body.0;
    let corrected = Corrected { operator: admin.user_id(), reason: &reason };
    gifts.ledger().resolve(&biz_id.0, verdict.into(), corrected).await?;
    Ok(Reply::data(gifts.find_for_admin(&biz_id.0).await?))
}

/// Records that a paid gift was taken back, and takes it off the statistics. Moves no money.
///
/// # Errors
/// 400 when it is not paid or was taken back before, 401, 404.
#[utoipa::path(post, path = "/admin/gift/{biz_id}/refund", tag = "gift", security(("admin" = [])),
    params(("biz_id" = String, Path)), request_body = RefundGift,
    responses((status = 200, body = inline(Success<AdminGift>))))]
pub async fn refund(
    gifts: web::Data<Gifts>,
    admin: Admin,
    biz_id: PathId,
    body: Body<RefundGift>,
) -> Answer<AdminGift> {
    let corrected = Corrected { operator: admin.user_id(), reason: &body.0.reason };
    gifts.ledger().refund(&biz_id.0, corrected).await?;
    Ok(Reply::data(gifts.find_for_admin(&biz_id.0).await?))
}

fn status(text: &str) -> Result<GiftStatus, Invalid> {
    let all = [GiftStatus::Waiting, GiftStatus::Paid, GiftStatus::Refused];
    let found = all.into_iter().find(|status| status.name() == text);
    found.ok_or_else(|| Invalid("status: must be waiting, paid or refused".to_owned()))
}

fn flag(text: &str) -> Result<bool, Invalid> {
    text.parse().map_err(|_| Invalid("flagged: must be true or false".to_owned()))
}
