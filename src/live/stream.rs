//! What media servers tell: a room's stream is published, or has ended.
//!
//! Media servers take a status of 200 as yes and 403 as no.

use actix_web::{HttpRequest, web};

use super::error::Error;
use super::room::LiveStatus;
use super::service::Lives;
use super::stream_call::Session;
use super::stream_rows as rows;
use crate::auth::Gate;
use crate::event::{self, DomainEvent};
use crate::media::PublishRefusal;
use crate::rest::envelope::Done;
use crate::rest::{ApiError, Reply};
use common::failure::{Failure, Kind};
use config::{Current, HooksConfig};

pub use super::stream_call::check_caller;

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

/// A media server asks whether a stream may be published. nginx-rtmp's `notify_method get` puts the form into
/// the query.
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

/// A media server tells that a publisher is gone; by GET as well.
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
    /// Marks a room's stream as up, when its publish URL is good and the room may go live. Of several
    /// publishers the media server decides who stays (`stream_rows`).
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
                    if rows::begin(&inner.db, tx, live_id, &session.id, now).await? {
                        event::append(tx, &inner.db, live_id, up, now).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(())
    }

    /// Marks a room's stream as down, when it was this publisher's.
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
                    if rows::end(&inner.db, tx, live_id, &session.id, now).await? {
                        event::append(tx, &inner.db, live_id, &DomainEvent::StreamDown, now).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(())
    }
}
