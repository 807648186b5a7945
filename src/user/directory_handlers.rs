//! HTTP to the users and back, for administrators.

use actix_web::web;

use super::directory::AdminUser;
use super::service::Users;
use crate::auth::Admin;
use crate::rest::envelope::Success;
use crate::rest::{ApiError, Params, Reply, paging};
use common::page::Page;

/// Users, the newest first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/admin/user/list", tag = "user", security(("admin" = [])),
    params(("keyword" = Option<String>, Query,
            description = "Begin of the id or the nick; at most 64 characters"),
        ("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<AdminUser>>))))]
pub async fn list(
    users: web::Data<Users>,
    _: Admin,
    params: Params,
) -> Result<Reply<Page<AdminUser>>, ApiError> {
    let keyword = params.text("keyword", 64)?;
    Ok(Reply::data(users.list_for_admin(keyword, paging(&params)?).await?))
}
