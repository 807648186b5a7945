//! HTTP to the users and back.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use garde::Validate;
use serde::Deserialize;

use super::dto::{ProfileView, Register, RegisterBatch, UpdateUser, UserView};
use super::service::Users;
use crate::auth::{Backend, Client};
use crate::rest::envelope::{Done, Success};
use crate::rest::{ApiError, Body, Invalid, Params, PathId, Reply, body};

type Answer<T> = Result<Reply<T>, ApiError>;

/// Ids that one call may ask for.
const MAX_IDS: usize = 200;

/// Registers a user.
///
/// # Errors
/// 400, with code 10001 when the user exists; 401.
#[utoipa::path(post, path = "/server/user/register", tag = "user", security(("server" = [])),
    request_body = Register, responses((status = 200, body = Done)))]
pub async fn register(users: web::Data<Users>, _: Backend, body: Body<Register>) -> Answer<()> {
    users.register(body.0).await?;
    Ok(Reply::empty())
}

/// Registers 1 to 200 users; answers those that were not registered, with the reason.
///
/// # Errors
/// 400, 401.
#[utoipa::path(post, path = "/server/user/register/batch", tag = "user", security(("server" = [])),
    request_body = Vec<Register>,
    responses((status = 200, body = inline(Success<std::collections::HashMap<String, String>>))))]
pub async fn register_batch(
    users: web::Data<Users>,
    _: Backend,
    body: Body<RegisterBatch>,
) -> Answer<BTreeMap<String, String>> {
    Ok(Reply::data(users.register_all(body.0.0).await?))
}

/// Changes a user.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(put, path = "/server/user/{id}", tag = "user", security(("server" = [])),
    params(("id" = String, Path)), request_body = UpdateUser, responses((status = 200, body = Done)))]
pub async fn update(users: web::Data<Users>, _: Backend, id: PathId, body: Body<UpdateUser>) -> Answer<()> {
    users.update(&id.0, &body.0).await?;
    Ok(Reply::empty())
}

/// Changes the caller.
///
/// # Errors
/// 400, 401.
#[utoipa::path(put, path = "/client/user/user", tag = "user", security(("client" = [])),
    request_body = UpdateUser, responses((status = 200, body = Done)))]
pub async fn update_own(users: web::Data<Users>, client: Client, body: Body<UpdateUser>) -> Answer<()> {
    users.update(client.user_id(), &body.0).await?;
    Ok(Reply::empty())
}

/// A user.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/server/user/info/{id}", tag = "user", security(("server" = [])),
    params(("id" = String, Path)), responses((status = 200, body = inline(Success<UserView>))))]
pub async fn info(users: web::Data<Users>, _: Backend, id: PathId) -> Answer<UserView> {
    Ok(Reply::data(UserView::of(users.find(&id.0).await?.as_ref())))
}

/// A user.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/client/user/user/{id}", tag = "user", security(("client" = [])),
    params(("id" = String, Path)), responses((status = 200, body = inline(Success<UserView>))))]
pub async fn info_for_client(users: web::Data<Users>, _: Client, id: PathId) -> Answer<UserView> {
    Ok(Reply::data(UserView::of(users.find(&id.0).await?.as_ref())))
}

/// Users, in the order asked for; unknown ones are left out.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/server/user/infos", tag = "user", security(("server" = [])),
    params(("user_ids" = Vec<String>, Query, description = "1 to 200 ids; also spelled user_ids[], also a JSON array as the body")),
    responses((status = 200, body = inline(Success<Vec<UserView>>))))]
pub async fn infos(
    users: web::Data<Users>,
    _: Backend,
    request: HttpRequest,
    params: Params,
) -> Answer<Vec<UserView>> {
    let found = users.list(&user_ids(&request, &params)?).await?;
    Ok(Reply::data(found.iter().map(|user| UserView::of(user)).collect()))
}

/// Users, in the order asked for; unknown ones are left out.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/client/user/users", tag = "user", security(("client" = [])),
    params(("user_ids" = Vec<String>, Query, description = "1 to 200 ids; also spelled user_ids[]")),
    responses((status = 200, body = inline(Success<Vec<UserView>>))))]
pub async fn infos_for_client(
    users: web::Data<Users>,
    _: Client,
    request: HttpRequest,
    params: Params,
) -> Answer<Vec<UserView>> {
    let found = users.list(&user_ids(&request, &params)?).await?;
    Ok(Reply::data(found.iter().map(|user| UserView::of(user)).collect()))
}

/// Users by their IM account numbers.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/client/user/imusers", tag = "user", security(("client" = [])),
    params(("im_user_ids" = Vec<i64>, Query, description = "1 to 200 numbers, repeated or comma-separated")),
    responses((status = 200, body = inline(Success<Vec<UserView>>))))]
pub async fn im_users(users: web::Data<Users>, _: Client, params: Params) -> Answer<Vec<UserView>> {
    let numbers =
        params.all("im_user_ids").flat_map(|value| value.split(',')).filter(|text| !text.is_empty());
    let parsed: Result<Vec<i64>, _> = numbers.map(|text| text.trim().parse()).collect();
    let ids = parsed.map_err(|_| Invalid("im_user_ids: not an integer".to_owned()))?;
    check_count("im_user_ids", ids.len())?;
    let found = users.list_by_im(&ids).await?;
    Ok(Reply::data(found.iter().map(UserView::of).collect()))
}

/// A user with the IM credentials.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/server/user/profile/{id}", tag = "user", security(("server" = [])),
    params(("id" = String, Path)), responses((status = 200, body = inline(Success<ProfileView>))))]
pub async fn profile(users: web::Data<Users>, _: Backend, id: PathId) -> Answer<ProfileView> {
    Ok(Reply::data(ProfileView::of(users.find(&id.0).await?.as_ref())))
}

/// Users with their IM credentials, in the order asked for; unknown ones are left out.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/server/user/profiles", tag = "user", security(("server" = [])),
    params(("user_ids" = Vec<String>, Query, description = "1 to 200 ids; also spelled user_ids[], also a JSON array as the body")),
    responses((status = 200, body = inline(Success<Vec<ProfileView>>))))]
pub async fn profiles(
    users: web::Data<Users>,
    _: Backend,
    request: HttpRequest,
    params: Params,
) -> Answer<Vec<ProfileView>> {
    let found = users.list(&user_ids(&request, &params)?).await?;
    Ok(Reply::data(found.iter().map(|user| ProfileView::of(user)).collect()))
}

/// The caller with the IM credentials.
///
/// # Errors
/// 401.
#[utoipa::path(get, path = "/client/user/profile", tag = "user", security(("client" = [])),
    responses((status = 200, body = inline(Success<ProfileView>))))]
pub async fn own_profile(users: web::Data<Users>, client: Client) -> Answer<ProfileView> {
    Ok(Reply::data(ProfileView::of(users.find(client.user_id()).await?.as_ref())))
}

#[derive(Deserialize, Validate)]
#[serde(transparent)]
struct Ids(#[garde(skip)] Vec<String>);

/// The ids in the query, or in the body as a JSON array.
fn user_ids(request: &HttpRequest, params: &Params) -> Result<Vec<String>, Invalid> {
    let mut ids: Vec<String> = params.all("user_ids").map(str::to_owned).collect();
    let bytes = body::raw(request);
    if ids.is_empty() && !bytes.is_empty() {
        ids = body::parse::<Ids>(&bytes)?.0;
    }
    check_count("user_ids", ids.len())?;
    if ids.iter().any(|id| id.chars().count() > 64) {
        return Err(Invalid("user_ids: an id has more than 64 characters".to_owned()));
    }
    Ok(ids)
}

fn check_count(name: &str, count: usize) -> Result<(), Invalid> {
    if (1..=MAX_IDS).contains(&count) {
        Ok(())
    } else {
        Err(Invalid(format!("{name}: has {count} entries, must have 1 to {MAX_IDS}")))
    }
}
