//! Requests and answers of the like route, and what the room is told.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Likes to give.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct PutLike {
    /// How many: 1 to 1000, 1 when absent.
    #[garde(inner(range(min = 1, max = 1000)))]
    pub count: Option<i64>,
}

/// Likes of a room.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct LikesView {
    /// All that the caller gave.
    pub count: i64,
    /// All that anybody gave.
    pub total: i64,
}

/// `like_notify`: what a user gave since the room was last told of them.
#[derive(Debug, Serialize)]
pub(super) struct LikeNotice<'a> {
    pub live_id: &'a str,
    pub user_id: &'a str,
    pub count: i64,
}
