//! HTTP to the demo room and back.

use actix_web::web;
use chrono::TimeDelta;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Demo, Payments};
use crate::auth::{Authenticator, Claims};
use crate::rest::envelope::Success;
use crate::rest::{ApiError, Body, Reply};
use common::clock::SharedClock;
use common::failure::{Failure, Kind};
use common::text;

type Answer<T> = Result<Reply<T>, ApiError>;

/// How long a visitor's token lives.
const TOKEN_LIFE: TimeDelta = TimeDelta::days(1);

/// Nobody becomes a user of a production server by opening a page.
#[derive(Debug, thiserror::Error)]
#[error("the demo room is off (demo.enable)")]
struct Off;

impl Failure for Off {
    fn kind(&self) -> Kind {
        Kind::NotFound
    }
}

/// What the demo room offers.
#[derive(Debug, Serialize, ToSchema)]
pub struct DemoInfo {
    /// Whether visitors can log in.
    pub is_enabled: bool,
    /// Version of the server.
    pub version: &'static str,
    /// Where gifts are paid.
    pub payments: Payments,
    /// Whether rooms have addresses to play.
    pub has_media: bool,
}

/// A visitor.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(default)]
pub struct DemoLogin {
    /// Name to show, 1 to 64 characters; one is made up when absent.
    #[garde(inner(length(chars, min = 1, max = 64), custom(text::shown)))]
    pub nick: Option<String>,
}

/// A visitor's account.
#[derive(Debug, Serialize, ToSchema)]
pub struct DemoUser {
    /// The user.
    pub user_id: String,
    /// Name to show.
    pub nick: String,
    /// The token for `/client/*`.
    pub access_token: String,
    /// When it expires, Unix seconds.
    pub expires_at: i64,
}

/// What the demo room offers, also where it is off.
#[utoipa::path(get, path = "/demo/info", tag = "demo",
    responses((status = 200, body = inline(Success<DemoInfo>))))]
pub async fn info(demo: web::Data<Demo>) -> Reply<DemoInfo> {
    Reply::data(DemoInfo {
        is_enabled: demo.is_enabled,
        version: env!("CARGO_PKG_VERSION"),
        payments: demo.payments,
        has_media: demo.has_media,
    })
}

/// Makes a visitor a user of a new id.
///
/// # Errors
/// 400, 404 where the demo room is off, 429.
#[utoipa::path(post, path = "/demo/login", tag = "demo", request_body = DemoLogin,
    responses((status = 200, body = inline(Success<DemoUser>)),
        (status = 404, description = "The demo room is off")))]
pub async fn login(
    demo: web::Data<Demo>,
    authenticator: web::Data<Authenticator>,
    clock: web::Data<SharedClock>,
    body: Body<DemoLogin>,
) -> Answer<DemoUser> {
    if !demo.is_enabled {
        return Err(Off.into());
    }
    let (user_id, nick) = demo.register(body.0.nick).await?;
    let claims = Claims::lasting(user_id, clock.now(), TOKEN_LIFE);
    let access_token = authenticator.tokens().issue(&claims)?;
    Ok(Reply::data(DemoUser { user_id: claims.user_id, nick, access_token, expires_at: claims.exp }))
}
