//! Table `live_entities`: live rooms.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "live_entities")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// The room's id, a snowflake in decimal.
    pub live_id: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Announcement.
    pub notice: Option<String>,
    /// Cover picture.
    pub cover_url: Option<String>,
    /// JSON object of texts.
    pub extends: Option<String>,
    /// The user who streams.
    pub anchor_id: Option<String>,
    /// State of the room.
    pub status: Option<i32>,
    /// The running PK session, or empty.
    pub pk_id: Option<String>,
    /// Viewers, as last counted.
    pub online_count: Option<i32>,
    /// When the live began.
    pub start_at: Option<WallTime>,
    /// When the live ended.
    pub end_at: Option<WallTime>,
    /// The chat group of the IM service.
    pub chat_id: Option<i64>,
    /// Where the anchor's encoder publishes.
    pub push_url: Option<String>,
    /// RTMP play address.
    pub rtmp_play_url: Option<String>,
    /// HTTP-FLV play address.
    pub flv_play_url: Option<String>,
    /// HLS play address.
    pub hls_play_url: Option<String>,
    /// When the anchor was last heard.
    pub last_heartbeat_at: Option<WallTime>,
    /// When the row was made.
    pub created_at: Option<WallTime>,
    /// When the row was last changed.
    pub updated_at: Option<WallTime>,
    /// When the row was deleted; NULL while it counts.
    pub deleted_at: Option<WallTime>,
    /// Why the live was ended.
    pub stop_reason: Option<String>,
    /// Who ended it.
    pub stop_user_id: Option<String>,
    /// When it was ended.
    pub stop_at: Option<WallTime>,
    /// Review results that nobody has looked at.
    pub unreview_censor_count: Option<i32>,
    /// Unix seconds of the last review result.
    pub last_censor_time: Option<i32>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
