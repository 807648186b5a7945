//! HTTP to the rooms and back, for administrators; and a user with their lives.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::admin_listing::AdminRoom;
use super::room::Wanted;
use super::service::Lives;
use crate::auth::Admin;
use crate::rest::envelope::Success;
use crate::rest::{ApiError, Params, PathId, Reply, paging};
use crate::user::{AdminUser, UserView, Users};
use common::page::Page;

type Answer<T> = Result<Reply<T>, ApiError>;

/// Rooms, the newest first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/admin/live/list", tag = "live", security(("admin" = [])),
    params(("live_status" = Option<i64>, Query, description = "-1 all (default), 0 created, 1 live, 2 ended"),
        ("keyword" = Option<String>, Query,
            description = "Begin of the title, the id or the anchor's id; at most 128 characters"),
        ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<AdminRoom>>))))]
pub async fn list(lives: web::Data<Lives>, _: Admin, params: Params) -> Answer<Page<AdminRoom>> {
    let status = match Wanted::of_number(params.number("live_status", -1)?)? {
        Wanted::Open => None,
        Wanted::Only(status) => Some(status),
    };
    let keyword = params.text("keyword", 128)?;
    Ok(Reply::data(lives.list_for_admin(status, keyword, paging(&params)?).await?))
}

/// A room, also one that has ended.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/admin/live/{live_id}", tag = "live", security(("admin" = [])),
    params(("live_id" = String, Path)), responses((status = 200, body = inline(Success<AdminRoom>))))]
pub async fn info(lives: web::Data<Lives>, _: Admin, live_id: PathId) -> Answer<AdminRoom> {
    Ok(Reply::data(lives.find_for_admin(&live_id.0).await?))
}

/// The users in a room, latest first.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/admin/live/{live_id}/users", tag = "live", security(("admin" = [])),
    params(("live_id" = String, Path), ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<UserView>>))))]
pub async fn users(
    lives: web::Data<Lives>,
    _: Admin,
    live_id: PathId,
    params: Params,
) -> Answer<Page<UserView>> {
    Ok(Reply::data(lives.users(&live_id.0, paging(&params)?).await?))
}

/// A user and where they are live.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserWithLives {
    /// The user.
    #[serde(flatten)]
    pub user: AdminUser,
    /// Ids of their live rooms, the newest first, at most 100.
    pub rooms_live: Vec<String>,
}

/// A user, with the ids of their live rooms.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/admin/user/info/{user_id}", tag = "user", security(("admin" = [])),
    params(("user_id" = String, Path)), responses((status = 200, body = inline(Success<UserWithLives>))))]
pub async fn user(
    users: web::Data<Users>,
    lives: web::Data<Lives>,
    _: Admin,
    user_id: PathId,
) -> Answer<UserWithLives> {
    let user = users.find_for_admin(&user_id.0).await?;
    let rooms_live = lives.live_of_anchor(&user.user_id).await?;
    Ok(Reply::data(UserWithLives { user, rooms_live }))
}
