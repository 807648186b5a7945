//! Requests and answers of the room routes.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::room::{LiveStatus, Room};
use super::time_input::TimeInput;
use crate::user::{User, UserView};
use common::text::{self, Extends};

/// A room to create; the caller is its anchor.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct CreateRoom {
    /// 0 to 128 characters, no control character, none that turns the direction of writing, and, unless it is empty, one to see; must be present.
    #[garde(length(chars, max = 128), custom(text::shown))]
    pub title: String,
    /// At most 255 characters.
    #[garde(inner(length(chars, max = 255)))]
    pub notice: Option<String>,
    /// At most 255 characters.
    #[garde(inner(length(chars, max = 255), custom(text::web_address)))]
    pub cover_url: Option<String>,
    /// At most 1024 bytes as JSON.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
    /// Announced start: Unix seconds, milliseconds (13 digits), or text such as `2021-12-02 11:11` in UTC+8.
    #[garde(skip)]
    #[schema(value_type = Option<i64>)]
    pub start_at: Option<TimeInput>,
    /// Announced end.
    #[garde(skip)]
    #[schema(value_type = Option<i64>)]
    pub end_at: Option<TimeInput>,
    /// When the push URL expires; in the past or absent: after `pili.publish_expire_s`.
    #[garde(skip)]
    #[schema(value_type = Option<i64>)]
    pub publish_expire_at: Option<TimeInput>,
}

/// Whose room it will be, where a backend creates it; read beside [`CreateRoom`] from one body.
#[derive(Debug, Deserialize, Validate)]
pub struct ForAnchor {
    /// The user who will be the anchor.
    #[garde(custom(text::user_id))]
    pub anchor_id: String,
}

/// The documented shape of a body with both.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateRoomFor {
    /// The user who will be the anchor.
    pub anchor_id: String,
    /// As for the anchor's own call.
    #[serde(flatten)]
    pub room: CreateRoom,
}

/// New `extends` of a room.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct UpdateExtends {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// Replaces the room's map; absent empties it.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

/// A room as the API shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoomView {
    /// The room's id, a decimal number in text.
    pub live_id: String,
    /// Title.
    pub title: String,
    /// Notice to the viewers.
    pub notice: String,
    /// Cover picture.
    pub cover_url: String,
    /// Flat map of the app's own.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
    /// The anchor.
    pub anchor_info: UserView,
    /// 0 away, 1 in the room.
    pub anchor_status: u8,
    /// Token for the RTC room; only in the answer to the anchor's start.
    pub room_token: String,
    /// The PK under way, or empty.
    pub pk_id: String,
    /// Users in the room.
    pub online_count: u64,
    /// Unix seconds, 0 when unset.
    pub start_time: i64,
    /// Unix seconds, 0 when unset.
    pub end_time: i64,
    /// The chat room of the IM service.
    pub chat_id: i64,
    /// Where the anchor publishes; shown only to the anchor and to servers.
    pub push_url: String,
    /// Where HLS players play.
    pub hls_url: String,
    /// Where RTMP players play.
    pub rtmp_url: String,
    /// Where HTTP-FLV players play.
    pub flv_url: String,
    /// Views: each join is one.
    pub pv: i64,
    /// Users who viewed.
    pub uv: i64,
    /// The same as `pv`.
    pub total_count: i64,
    /// Guests on microphone seats.
    pub total_mics: i64,
    /// 0 created, 1 live, 2 ended.
    #[schema(value_type = u8)]
    pub live_status: LiveStatus,
    /// Why it was ended, when not by its anchor.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stop_reason: String,
    /// The administrator who ended it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stop_user_id: String,
    /// When it was so ended, Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_at: Option<i64>,
}

/// What a room view shows beside the row.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoomFigures {
    /// Users in the room.
    pub online: u64,
    /// Whether the anchor is in it.
    pub anchor_in: bool,
    /// Views.
    pub pv: i64,
    /// Viewers.
    pub uv: i64,
    /// Guests on seats.
    pub mics: i64,
}

impl RoomView {
    /// The view of `room`, with its push URL.
    #[must_use]
    pub fn new(room: &Room, anchor: &User, figures: RoomFigures) -> Self {
        let seconds = |at: Option<DateTime<Utc>>| at.map_or(0, |at| at.timestamp());
        Self {
            live_id: room.live_id.clone(),
            title: room.title.clone(),
            notice: room.notice.clone(),
            cover_url: room.cover_url.clone(),
            extends: room.extends.clone(),
            anchor_info: UserView::of(anchor),
            anchor_status: u8::from(figures.anchor_in),
            room_token: String::new(),
            pk_id: room.pk_id.clone(),
            online_count: figures.online,
            start_time: seconds(room.start_at),
            end_time: seconds(room.end_at),
            chat_id: room.chat_id,
            push_url: room.push_url.clone(),
            hls_url: room.hls_url.clone(),
            rtmp_url: room.rtmp_url.clone(),
            flv_url: room.flv_url.clone(),
            pv: figures.pv,
            uv: figures.uv,
            total_count: figures.pv,
            total_mics: figures.mics,
            live_status: room.status,
            stop_reason: room.stop_reason.clone(),
            stop_user_id: room.stop_user_id.clone(),
            stop_at: room.stop_at.map(|at| at.timestamp()),
        }
    }

    /// The view as `viewer` may see it: the push URL is the anchor's alone.
    #[must_use]
    pub fn shown_to(mut self, viewer: &str) -> Self {
        if self.anchor_info.user_id != viewer {
            self.push_url.clear();
        }
        self
    }
}

/// Answer to a heartbeat.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeartbeatView {
    /// The room.
    pub live_id: String,
    /// 0 created, 1 live, 2 ended.
    #[schema(value_type = u8)]
    pub live_status: LiveStatus,
}
