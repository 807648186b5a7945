//! The console's sessions: a manager's token in a cookie (`auth::console`).

use actix_web::cookie::Cookie;
use actix_web::http::header::SET_COOKIE;
use actix_web::{CustomizeResponder, HttpRequest, Responder, web};
use chrono::TimeDelta;
use serde::Serialize;
use utoipa::ToSchema;

use super::admin::LogIns;
use super::tokens::Login;
use crate::auth::{ADMIN_ROLE, Admin, Claims, Gate, console};
use crate::rest::envelope::{Done, Success};
use crate::rest::{ApiError, Body, Reply};
use common::clock::SharedClock;

type Answer<T> = Result<CustomizeResponder<Reply<T>>, ApiError>;

/// How long a session lasts.
const LIFE: TimeDelta = TimeDelta::hours(12);

/// A manager's session.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// The administrator.
    pub user_id: String,
    /// When it ends, Unix seconds.
    pub expires_at: i64,
}

/// Begins a session of a manager who gives name and password: the answer sets a cookie that `/admin/*`
/// takes in place of a token, together with the header `X-Liveloom-Console`.
///
/// # Errors
/// 400, 403 with code 30001, 429.
#[utoipa::path(post, path = "/manager/session", tag = "auth", request_body = Login,
    responses((status = 200, body = inline(Success<Session>)),
        (status = 403, description = "Invalid username or password")))]
pub async fn begin(
    log_ins: web::Data<LogIns>,
    gate: web::Data<Gate>,
    clock: web::Data<SharedClock>,
    request: HttpRequest,
    login: Body<Login>,
) -> Answer<Session> {
    let ip = gate.client_ip(&request);
    let found = log_ins.log_in(ip, &login.0.user_name, &login.0.password).await?;
    let claims = Claims {
        issued_at: Some(found.issued_at),
        role: ADMIN_ROLE.to_owned(),
        // Of two sessions that begin in one second, one can be ended alone.
        device_id: format!("console-{:016x}", rand::random::<u64>()),
        ..Claims::lasting(found.user_id, clock.now(), LIFE)
    };
    let cookie = console::cookie(&request, gate.tokens().issue(&claims)?, LIFE.num_seconds());
    let session = Session { user_id: claims.user_id, expires_at: claims.exp };
    Ok(with(Reply::data(session), &cookie))
}

/// Ends the token of the call, from the cookie or the header, and takes the browser's cookie away.
///
/// # Errors
/// 401.
#[utoipa::path(delete, path = "/admin/session", tag = "admin", security(("admin" = [])),
    responses((status = 200, body = Done)))]
pub async fn end(gate: web::Data<Gate>, admin: Admin, request: HttpRequest) -> Answer<()> {
    gate.end_session(&admin).await?;
    Ok(with(Reply::empty(), &console::no_cookie(&request)))
}

/// Whose session it is.
///
/// # Errors
/// 401.
#[utoipa::path(get, path = "/admin/session", tag = "admin", security(("admin" = [])),
    responses((status = 200, body = inline(Success<Session>))))]
pub async fn show(admin: Admin) -> Reply<Session> {
    Reply::data(Session { user_id: admin.user_id().to_owned(), expires_at: admin.expires_at() })
}

fn with<T: Serialize>(reply: Reply<T>, cookie: &Cookie<'_>) -> CustomizeResponder<Reply<T>> {
    reply.customize().insert_header((SET_COOKIE, cookie.encoded().to_string()))
}
