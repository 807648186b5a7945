//! HTTP to the kept messages of a room and back.

use actix_web::web;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::error::Error;
use super::service::Moderation;
use crate::auth::Admin;
use crate::rest::envelope::Success;
use crate::rest::{ApiError, Invalid, Params, PathId, Reply};
use realtime::orders::KeptMessage;

/// Messages that one answer has at most.
const MOST: usize = 100;

/// A kept message of a room.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageView {
    /// Of which run of offsets: 16 hex digits.
    pub epoch: String,
    /// Its place among them.
    pub offset: u64,
    /// When it was published, Unix milliseconds.
    pub at_ms: i64,
    /// What subscribers get: `{from, action, data, ts}`, or `{deleted, ts}`.
    #[schema(value_type = Object)]
    pub body: Box<RawValue>,
}

impl From<KeptMessage> for MessageView {
    fn from(message: KeptMessage) -> Self {
        let KeptMessage { epoch, offset, at_ms, body } = message;
        Self { epoch: format!("{epoch:016x}"), offset, at_ms, body }
    }
}

impl Moderation {
    /// The newest kept messages of a room, the newest first, at most `limit`.
    ///
    /// # Errors
    /// `live::Error::NotFound`, or the broker's.
    pub async fn messages(&self, live_id: &str, limit: usize) -> Result<Vec<MessageView>, Error> {
        let parts = &self.0.parts;
        parts.lives.room(live_id).await?;
        let kept = parts.orders.kept_messages(live_id, limit).await?;
        Ok(kept.into_iter().map(MessageView::from).collect())
    }
}

/// The newest messages that are kept of a room, the newest first: each can be deleted by its epoch and
/// offset. None where another IM service carries them.
///
/// # Errors
/// 400, 401, 404.
#[utoipa::path(get, path = "/admin/live/{live_id}/messages", tag = "moderation", security(("admin" = [])),
    params(("live_id" = String, Path),
        ("limit" = Option<u64>, Query, description = "1 to 100; 50 when absent")),
    responses((status = 200, body = inline(Success<Vec<MessageView>>))))]
pub async fn list(
    moderation: web::Data<Moderation>,
    _: Admin,
    live_id: PathId,
    params: Params,
) -> Result<Reply<Vec<MessageView>>, ApiError> {
    let limit: usize = params.number("limit", 50)?;
    if !(1..=MOST).contains(&limit) {
        return Err(Invalid(format!("limit: must be from 1 to {MOST}")).into());
    }
    Ok(Reply::data(moderation.messages(&live_id.0, limit).await?))
}
