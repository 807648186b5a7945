//! A room as it is stored, inside the event of its creation.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use store::db::WallTime;
use store::entity::live_entities::Model;

/// The columns of a row of `live_entities` under their own names; times are Unix seconds. A column
/// that is NULL is null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LiveRow {
    /// Row number.
    pub id: u32,
    /// The room's id, a snowflake in decimal.
    pub live_id: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Announcement.
    pub notice: Option<String>,
    /// Cover picture.
    pub cover_url: Option<String>,
    /// JSON object, as text.
    pub extends: Option<String>,
    /// The user who streams.
    pub anchor_id: Option<String>,
    /// State of the room, as the column has it.
    pub status: Option<i32>,
    /// The running PK session, or empty.
    pub pk_id: Option<String>,
    /// Viewers, as last counted.
    pub online_count: Option<i32>,
    /// When the live began.
    pub start_at: Option<i64>,
    /// When the live ended.
    pub end_at: Option<i64>,
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
    pub last_heartbeat_at: Option<i64>,
    /// When the row was made.
    pub created_at: Option<i64>,
    /// When the row was last changed.
    pub updated_at: Option<i64>,
    /// When the row was deleted.
    pub deleted_at: Option<i64>,
    /// Why the live was ended.
    pub stop_reason: Option<String>,
    /// Who ended it.
    pub stop_user_id: Option<String>,
    /// When it was ended.
    pub stop_at: Option<i64>,
    /// Review results that nobody has looked at.
    pub unreview_censor_count: Option<i32>,
    /// When the last review result came.
    pub last_censor_time: Option<i32>,
}

impl LiveRow {
    /// The row `model`, whose wall-clock times `instant` ([`store::db::Db::instant`]) reads.
    pub fn of(model: &Model, instant: impl Fn(WallTime) -> DateTime<Utc>) -> Self {
        let seconds = |wall: Option<WallTime>| wall.map(|wall| instant(wall).timestamp());
        let row = model.clone();
        Self {
            id: row.id,
            live_id: row.live_id,
            title: row.title,
            notice: row.notice,
            cover_url: row.cover_url,
            extends: row.extends,
            anchor_id: row.anchor_id,
            status: row.status,
            pk_id: row.pk_id,
            online_count: row.online_count,
            start_at: seconds(row.start_at),
            end_at: seconds(row.end_at),
            chat_id: row.chat_id,
            push_url: row.push_url,
            rtmp_play_url: row.rtmp_play_url,
            flv_play_url: row.flv_play_url,
            hls_play_url: row.hls_play_url,
            last_heartbeat_at: seconds(row.last_heartbeat_at),
            created_at: seconds(row.created_at),
            updated_at: seconds(row.updated_at),
            deleted_at: seconds(row.deleted_at),
            stop_reason: row.stop_reason,
            stop_user_id: row.stop_user_id,
            stop_at: seconds(row.stop_at),
            unreview_censor_count: row.unreview_censor_count,
            last_censor_time: row.last_censor_time,
        }
    }
}
