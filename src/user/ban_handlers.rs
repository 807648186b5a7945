//! HTTP to the bans from the platform and back, for administrators and backends alike.

use actix_web::{FromRequest, web};

use super::bans::{Bans, NewBan};
use super::dto::{BanView, ImposeBan};
use crate::auth::{Admin, Backend};
use crate::rest::envelope::{Done, Success};
use crate::rest::{ApiError, Body, Params, PathId, Reply, paging};
use common::page::Page;

type Answer<T> = Result<Reply<T>, ApiError>;

/// One who acts on the whole platform: an administrator or a business backend. The routes of both
/// are the same.
pub trait Operator: FromRequest<Error = ApiError> + 'static {
    /// The administrator; empty for a backend.
    fn name(&self) -> &str;
}

impl Operator for Admin {
    fn name(&self) -> &str {
        self.user_id()
    }
}

impl Operator for Backend {
    fn name(&self) -> &'static str {
        ""
    }
}

/// Users who are banned from the platform, the latest ban first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/admin/bans", tag = "moderation", security(("admin" = [])),
    params(("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<BanView>>))))]
pub async fn list<O: Operator>(bans: web::Data<Bans>, _: O, params: Params) -> Answer<Page<BanView>> {
    Ok(Reply::data(bans.list(paging(&params)?).await?))
}

/// Bans a user from the platform, instead of a ban that there is, and revokes all their tokens.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(put, path = "/admin/bans/{user_id}", tag = "moderation", security(("admin" = [])),
    params(("user_id" = String, Path)), request_body = ImposeBan, responses((status = 200, body = Done)))]
pub async fn impose<O: Operator>(
    bans: web::Data<Bans>,
    operator: O,
    user_id: PathId,
    body: Body<ImposeBan>,
) -> Answer<()> {
    let new = NewBan {
        duration: body.0.duration(),
        reason: body.0.reason.unwrap_or_default(),
        by_user: operator.name().to_owned(),
    };
    bans.impose(&user_id.0, &new).await?;
    Ok(Reply::empty())
}

/// Ends the ban of a user; harmless when there is none. Revoked tokens stay so.
///
/// # Errors
/// 401, 404.
#[utoipa::path(delete, path = "/admin/bans/{user_id}", tag = "moderation", security(("admin" = [])),
    params(("user_id" = String, Path)), responses((status = 200, body = Done)))]
pub async fn lift<O: Operator>(bans: web::Data<Bans>, _: O, user_id: PathId) -> Answer<()> {
    bans.lift(&user_id.0).await?;
    Ok(Reply::empty())
}
