//! What media servers tell: a room's stream is published, or has ended.
//!
//! nginx-rtmp posts a form (`on_publish`, `on_publish_done`), SRS posts JSON
//! (<https://ossrs.io/lts/en-us/docs/v5/doc/http-callback>); both take a status of 200 as yes and
//! 403 as no.

use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::error::Error;
use super::room::LiveStatus;
use super::service::Lives;
use crate::auth::Gate;
use crate::config::{Current, HooksConfig};
use crate::error::{Failure, Kind};
use crate::event::{self, DomainEvent};
use crate::json;
use crate::media::{PublishCall, PublishRefusal};
use crate::rest::envelope::Done;
use crate::rest::{ApiError, Invalid, Params, Reply, body, peer};
use crate::store::db::{Db, StoreError};
use crate::store::entity::stream_session::{ActiveModel, Column, Entity};

/// The header that carries `hooks.secret`; media servers that cannot set one put it into the query
/// as `secret`.
const SECRET_HEADER: &str = "x-hook-secret";

/// Characters that the `session` column holds.
const SESSION_CHARS: usize = 128;

/// Why a stream is refused.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The caller is not one of the media servers.
    #[error("this address may not call the hooks")]
    NotAllowed,
    /// The publish URL is not one that this server gave out.
    #[error(transparent)]
    Refused(#[from] PublishRefusal),
    /// The room cannot go live.
    #[error("the room may not go live: {0}")]
    Room(Error),
    /// The database failed.
    #[error(transparent)]
    Failed(Error),
}

impl From<Error> for HookError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound | Error::Ended => Self::Room(error),
            other => Self::Failed(other),
        }
    }
}

impl Failure for HookError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotAllowed | Self::Room(_) => Kind::Forbidden,
            Self::Refused(refusal) => refusal.kind(),
            Self::Failed(error) => error.kind(),
        }
    }
}

/// A publisher's session at a media server.
#[derive(Debug)]
pub struct Session {
    /// The stream and the arguments of its URL.
    pub call: PublishCall,
    /// Names the session: the media server's address and its number for the publisher.
    pub id: String,
}

/// What SRS posts; nginx-rtmp's form is read by [`PublishCall::from_nginx`].
#[derive(Deserialize)]
struct SrsCall {
    app: String,
    stream: String,
    #[serde(default)]
    param: String,
    #[serde(default)]
    client_id: serde_json::Value,
}

impl Session {
    /// Reads the call of a media server, if it may call.
    fn of(gate: &Gate, config: &HooksConfig, request: &HttpRequest) -> Result<Self, ApiError> {
        check_caller(config, request)?;
        let server = gate.client_ip(request);
        let bytes = body::raw(request);
        let text = json::readable(&bytes);
        let text = std::str::from_utf8(&text).map_err(|_| Invalid("body: not valid UTF-8".to_owned()))?;
        let (call, client) = if text.trim_start().starts_with('{') {
            let srs: SrsCall =
                serde_json::from_str(text).map_err(|error| Invalid(format!("body: {error}")))?;
            (PublishCall::new(srs.app, srs.stream, &srs.param), plain(&srs.client_id))
        } else {
            let client = Params::parse(&bytes)?.get("clientid").unwrap_or_default().to_owned();
            (PublishCall::from_nginx(text)?, client)
        };
        let id = format!("{server}/{client}").chars().take(SESSION_CHARS).collect();
        Ok(Self { call, id })
    }
}

/// SRS 3 numbers its clients, later ones name them.
fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a call comes from a media server: by the address that it comes from without a proxy between, or by the
/// secret.
///
/// # Errors
/// [`HookError::NotAllowed`].
pub fn check_caller(config: &HooksConfig, request: &HttpRequest) -> Result<(), HookError> {
    let is_allowed = |ip| config.allow.iter().any(|net| net.contains(&ip));
    if peer::direct_ip(request.head()).is_some_and(is_allowed) {
        return Ok(());
    }
    let header = request.headers().get(SECRET_HEADER).map(|value| value.as_bytes().to_vec());
    let query = Params::parse(request.query_string().as_bytes()).unwrap_or_default();
    let given = header.unwrap_or_else(|| query.get("secret").unwrap_or_default().as_bytes().to_vec());
    let secret = config.secret.expose().as_bytes();
    if !secret.is_empty() && bool::from(secret.ct_eq(&given)) { Ok(()) } else { Err(HookError::NotAllowed) }
}

/// A media server asks whether a stream may be published.
///
/// # Errors
/// 400 for a call that cannot be read, 403 for a stream that may not be published.
#[utoipa::path(post, path = "/hooks/publish", tag = "hooks",
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "nginx-rtmp's form, or SRS's JSON"),
    responses((status = 200, body = Done), (status = 403, description = "The stream may not be published")))]
pub async fn publish(
    lives: web::Data<Lives>,
    gate: web::Data<Gate>,
    config: web::Data<Current<HooksConfig>>,
    request: HttpRequest,
) -> Result<Reply<()>, ApiError> {
    lives.stream_up(&Session::of(&gate, &config.get(), &request)?).await?;
    Ok(Reply::empty())
}

/// A media server tells that a publisher is gone.
///
/// # Errors
/// 400 for a call that cannot be read, 403 for a caller who is no media server.
#[utoipa::path(post, path = "/hooks/publish_done", tag = "hooks",
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "nginx-rtmp's form, or SRS's JSON"),
    responses((status = 200, body = Done), (status = 403, description = "Not a media server")))]
pub async fn publish_done(
    lives: web::Data<Lives>,
    gate: web::Data<Gate>,
    config: web::Data<Current<HooksConfig>>,
    request: HttpRequest,
) -> Result<Reply<()>, ApiError> {
    lives.stream_down(&Session::of(&gate, &config.get(), &request)?).await?;
    Ok(Reply::empty())
}

impl Lives {
    /// Marks a room's stream as up, when its publish URL is good and the room may go live. A
    /// further publisher of the same room takes its place.
    ///
    /// # Errors
    /// Why it may not be published.
    pub async fn stream_up(&self, session: &Session) -> Result<(), HookError> {
        let inner = &self.0;
        let now = inner.clock.now();
        let live_id = inner.pili.verify_publish(&session.call, now)?;
        let room = self.room(&live_id).await?;
        if room.status == LiveStatus::Ended {
            return Err(HookError::Room(Error::Ended));
        }
        let up = DomainEvent::StreamUp;
        self.0
            .db
            .transaction(|tx| {
                let (live_id, up) = (&live_id, &up);
                Box::pin(async move {
                    store_up(&inner.db, tx, live_id, &session.id, now).await?;
                    event::append(tx, &inner.db, live_id, up, now).await?;
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(())
    }

    /// Marks a room's stream as down, when it is the session that was up.
    ///
    /// # Errors
    /// The store's.
    pub async fn stream_down(&self, session: &Session) -> Result<(), HookError> {
        let inner = &self.0;
        let now = inner.clock.now();
        let Some(live_id) = inner.pili.live_id(&session.call.stream) else {
            return Err(PublishRefusal::OtherPattern.into());
        };
        self.0
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    if store_down(&inner.db, tx, live_id, &session.id, now).await? {
                        event::append(tx, &inner.db, live_id, &DomainEvent::StreamDown, now).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(())
    }
}

async fn store_up(
    db: &Db,
    tx: &impl ConnectionTrait,
    live_id: &str,
    session: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = ActiveModel {
        live_id: Set(live_id.to_owned()),
        session: Set(session.to_owned()),
        up: Set(true),
        since: Set(db.wall(now)),
    };
    let newest = OnConflict::column(Column::LiveId)
        .update_columns([Column::Session, Column::Up, Column::Since])
        .to_owned();
    Entity::insert(row).on_conflict(newest).exec_without_returning(tx).await?;
    Ok(())
}

async fn store_down(
    db: &Db,
    tx: &impl ConnectionTrait,
    live_id: &str,
    session: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::Up, Expr::value(false))
        .col_expr(Column::Since, Expr::value(db.wall(now)));
    let named = Column::LiveId.eq(live_id).and(Column::Session.eq(session)).and(Column::Up.eq(true));
    Ok(change.filter(named).exec(tx).await?.rows_affected > 0)
}
