//! HTTP to the administrators and back.

use actix_web::{HttpRequest, web};

use super::dto::{AdminView, ChangeAdmin, CreateAdmin};
use super::{Admins, LogIns, NewAdmin};
use crate::auth::{Admin, Authenticator};
use crate::rest::envelope::{Done, Success};
use crate::rest::{ApiError, Body, Params, PathId, Reply, paging};
use common::page::Page;

type Answer<T> = Result<Reply<T>, ApiError>;

/// Administrators, oldest first.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/admin/users", tag = "admin", security(("admin" = [])),
    params(("page_num" = Option<u64>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = inline(Success<Page<AdminView>>))))]
pub async fn list(admins: web::Data<Admins>, _: Admin, params: Params) -> Answer<Page<AdminView>> {
    Ok(Reply::data(admins.list(paging(&params)?).await?))
}

/// Creates an administrator who can log in.
///
/// # Errors
/// 400, with code 10001 when the name or the id is taken; 401.
#[utoipa::path(post, path = "/admin/users", tag = "admin", security(("admin" = [])),
    request_body = CreateAdmin, responses((status = 200, body = inline(Success<AdminView>))))]
pub async fn create(admins: web::Data<Admins>, _: Admin, body: Body<CreateAdmin>) -> Answer<AdminView> {
    let CreateAdmin { user_name, user_id, password, description } = body.0;
    let user_id = user_id.unwrap_or_else(|| user_name.clone());
    let new = NewAdmin { user_id, user_name, password, description: description.unwrap_or_default() };
    Ok(Reply::data(admins.create(new).await?))
}

/// Changes name, password or description of an administrator. Another password ends all of their tokens and
/// sessions; whoever changes their own gives the former one.
///
/// # Errors
/// 400, with code 10001 when the name is taken; 401, 403 for a wrong `old_password`, 404, 429.
#[utoipa::path(put, path = "/admin/users/{user_id}", tag = "admin", security(("admin" = [])),
    params(("user_id" = String, Path)), request_body = ChangeAdmin,
    responses((status = 200, body = inline(Success<AdminView>)),
        (status = 403, description = "One's own password without the former one")))]
pub async fn change(
    admins: web::Data<Admins>,
    log_ins: web::Data<LogIns>,
    authenticator: web::Data<Authenticator>,
    admin: Admin,
    request: HttpRequest,
    user_id: PathId,
    body: Body<ChangeAdmin>,
) -> Answer<AdminView> {
    if user_id.0 == admin.user_id() && body.0.password.is_some() {
        let old = body.0.old_password.as_deref();
        log_ins.check_own(authenticator.client_ip(&request), admin.user_id(), old).await?;
    }
    Ok(Reply::data(admins.change(&user_id.0, &body.0).await?))
}

/// Deletes an administrator, whose tokens end at once.
///
/// # Errors
/// 400 for the last one who can log in, 401, 403 for oneself, 404.
#[utoipa::path(delete, path = "/admin/users/{user_id}", tag = "admin", security(("admin" = [])),
    params(("user_id" = String, Path)),
    responses((status = 200, body = Done), (status = 403, description = "Oneself")))]
pub async fn delete(admins: web::Data<Admins>, admin: Admin, user_id: PathId) -> Answer<()> {
    admins.delete(&user_id.0, admin.user_id()).await?;
    Ok(Reply::empty())
}
