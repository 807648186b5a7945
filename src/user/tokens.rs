//! Tokens for users and administrators, the managers' login, and the app's configuration.

use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, web};
use chrono::TimeDelta;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::admin::{Admins, LogIns};
use super::service::Users;
use crate::auth::token::LATEST_EXP;
use crate::auth::{ADMIN_ROLE, Authenticator, Backend, Claims, Client, SignedBackend, TokenService};
use crate::im::Im;
use crate::rest::envelope::Success;
use crate::rest::{ApiError, Invalid, Params, Reply, body, peer};
use common::clock::SharedClock;
use common::json;
use common::text::check_user_id;

type Answer<T> = Result<Reply<T>, ApiError>;

/// How long a token lives when the caller does not say.
const DEFAULT_LIFE: TimeDelta = TimeDelta::days(7);

/// A token for the `Authorization` header.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// The token.
    pub access_token: String,
    /// When it expires, Unix seconds.
    pub expires_at: i64,
}

/// The credentials of a manager.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct Login {
    /// Name.
    #[garde(length(chars, min = 1, max = 255))]
    pub user_name: String,
    /// Password.
    #[garde(length(chars, min = 1, max = 255))]
    pub password: String,
}

/// What an app needs to know before it connects.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppConfig {
    /// The app's id in the IM service.
    pub im_app_id: String,
    /// Where the built-in IM is; left out with another IM service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realtime_url: Option<String>,
}

struct TokenRequest {
    app_id: String,
    user_id: String,
    device_id: String,
    expires_at: i64,
}

impl TokenRequest {
    fn from_params(params: &Params, now: i64) -> Result<Self, Invalid> {
        let user_id = required(params, "user_id")?;
        check_user_id(user_id).map_err(|reason| Invalid(format!("user_id: {reason}")))?;
        let expires_at = match params.number("expires_at", 0)? {
            0 => now + DEFAULT_LIFE.num_seconds(),
            at if at > LATEST_EXP => {
                let reason = "expires_at: is beyond the year 3000; it is in seconds, not in milliseconds";
                return Err(Invalid(reason.to_owned()));
            }
            at if at > now => at,
            _ => return Err(Invalid("expires_at: is in the past".to_owned())),
        };
        Ok(Self {
            app_id: required(params, "app_id")?.to_owned(),
            user_id: user_id.to_owned(),
            device_id: limited(params, "device_id")?.unwrap_or_default().to_owned(),
            expires_at,
        })
    }

    fn claims(self, role: &str, issued_at: i64) -> Claims {
        let Self { app_id, user_id, device_id, expires_at } = self;
        let role = role.to_owned();
        Claims { exp: expires_at, app_id, user_id, device_id, role, issued_at: Some(issued_at) }
    }
}

/// When a token for a user is issued, in Unix seconds. In the very second in which the former ones were
/// revoked it would be taken for one of them, so that the next one is waited for.
async fn issue_time(users: &Users, user_id: &str, clock: &SharedClock) -> Result<i64, ApiError> {
    let status = users.account_status(user_id).await?;
    let now = clock.now().timestamp();
    match status.and_then(|status| status.revoked_at).filter(|&revoked| revoked >= now) {
        None => Ok(now),
        Some(revoked) => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(clock.now().timestamp().max(revoked + 1))
        }
    }
}

fn required<'a>(params: &'a Params, name: &str) -> Result<&'a str, Invalid> {
    limited(params, name)?.ok_or_else(|| Invalid(format!("{name}: must not be empty")))
}

fn limited<'a>(params: &'a Params, name: &str) -> Result<Option<&'a str>, Invalid> {
    match params.get(name) {
        Some(value) if value.chars().count() > 64 => {
            Err(Invalid(format!("{name}: has more than 64 characters")))
        }
        value => Ok(value),
    }
}

fn issue(tokens: &TokenService, claims: &Claims) -> Answer<TokenView> {
    let access_token = tokens.issue(claims)?;
    Ok(Reply::data(TokenView { access_token, expires_at: claims.exp }))
}

/// A token for a user, who is registered if new.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/server/auth/token", tag = "auth", security(("server" = [])),
    params(("app_id" = String, Query), ("user_id" = String, Query), ("device_id" = Option<String>, Query),
        ("expires_at" = Option<i64>, Query, description = "Unix seconds; after 7 days when absent or 0")),
    responses((status = 200, body = inline(Success<TokenView>))))]
pub async fn token(
    users: web::Data<Users>,
    authenticator: web::Data<Authenticator>,
    clock: web::Data<SharedClock>,
    _: Backend,
    params: Params,
) -> Answer<TokenView> {
    let request = TokenRequest::from_params(&params, clock.now().timestamp())?;
    users.find_or_register(&request.user_id).await?;
    let now = issue_time(&users, &request.user_id, &clock).await?;
    issue(authenticator.tokens(), &request.claims("", now))
}

/// A token for an administrator, who is created if new.
///
/// # Errors
/// 400; 401 also where unsigned server calls are allowed.
#[utoipa::path(get, path = "/server/auth/admin/token", tag = "auth", security(("server" = [])),
    params(("app_id" = String, Query), ("user_id" = String, Query), ("device_id" = Option<String>, Query),
        ("expires_at" = Option<i64>, Query, description = "Unix seconds; after 7 days when absent or 0")),
    responses((status = 200, body = inline(Success<TokenView>))))]
pub async fn admin_token(
    admins: web::Data<Admins>,
    authenticator: web::Data<Authenticator>,
    clock: web::Data<SharedClock>,
    _: SignedBackend,
    params: Params,
) -> Answer<TokenView> {
    let now = clock.now().timestamp();
    let request = TokenRequest::from_params(&params, now)?;
    admins.find_or_create(&request.user_id).await?;
    let issued_at = admins.issue_time(&request.user_id).await?;
    issue(authenticator.tokens(), &request.claims(ADMIN_ROLE, issued_at))
}

/// A token for a manager who gives name and password.
///
/// # Errors
/// 400, 403 with code 30001, 429.
#[utoipa::path(post, path = "/manager/login", tag = "auth", request_body = Login,
    responses((status = 200, body = inline(Success<TokenView>)),
        (status = 403, description = "Invalid username or password")))]
pub async fn login(
    log_ins: web::Data<LogIns>,
    authenticator: web::Data<Authenticator>,
    clock: web::Data<SharedClock>,
    request: HttpRequest,
    params: Params,
) -> Answer<TokenView> {
    let ip = authenticator.client_ip(&request);
    let login = credentials(&request, params)?;
    let found = log_ins.log_in(ip, &login.user_name, &login.password).await?;
    let claims = Claims {
        role: ADMIN_ROLE.to_owned(),
        issued_at: Some(found.issued_at),
        // Of two tokens of one second, one can be ended alone.
        device_id: format!("login-{:016x}", rand::random::<u64>()),
        ..Claims::lasting(found.user_id, clock.now(), DEFAULT_LIFE)
    };
    issue(authenticator.tokens(), &claims)
}

/// Name and password from a JSON body, a form body or the query. Tools such as curl call every body a form unless they
/// are told otherwise: one that begins as an object is JSON.
fn credentials(request: &HttpRequest, query: Params) -> Result<Login, Invalid> {
    let bytes = body::raw(request);
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form = kind.starts_with("application/x-www-form-urlencoded") && !json::is_object(&bytes);
    let form = match (bytes.is_empty(), is_form) {
        (true, _) => query,
        (false, true) => Params::parse(&bytes)?,
        (false, false) => return body::parse(&bytes),
    };
    let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let login = Login { user_name: field("user_name"), password: field("password") };
    login.validate().map_err(|report| Invalid(report.to_string().trim_end().to_owned()))?;
    Ok(login)
}

/// What an app needs to know before it connects.
///
/// # Errors
/// 401.
#[utoipa::path(get, path = "/client/app/config", tag = "auth", security(("client" = [])),
    responses((status = 200, body = inline(Success<AppConfig>))))]
pub async fn app_config(
    im: web::Data<Im>,
    authenticator: web::Data<Authenticator>,
    _: Client,
    request: HttpRequest,
) -> Answer<AppConfig> {
    let realtime_url = im.is_builtin().then(|| realtime_url(&authenticator, &request));
    Ok(Reply::data(AppConfig { im_app_id: im.app_id().to_owned(), realtime_url }))
}

/// The WebSocket of the host that the caller knows this server by.
fn realtime_url(authenticator: &Authenticator, request: &HttpRequest) -> String {
    let scheme = if peer::is_https(request.head()) { "wss" } else { "ws" };
    format!("{scheme}://{}/realtime", authenticator.host(request))
}
