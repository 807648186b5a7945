//! Requests and answers of the review routes, but what the review service posts.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::live::{LiveStatus, ReviewedRoom, TimeInput};
use store::db::WallTime;
use store::entity::censor_image::Model;

/// The room of a job to start or to close.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct RoomOnly {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
}

/// The end of a live by an operator.
#[derive(Debug, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(default)]
pub struct StopLive {
    /// What the room is told, in place of the common text; at most 255 characters.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    pub message: Option<String>,
}

/// An operator's verdict on pictures of one room.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct Audit {
    /// The room.
    #[garde(length(chars, min = 1, max = 64))]
    pub live_id: String,
    /// 1 to 200 ids of pictures.
    #[garde(length(min = 1, max = 200))]
    pub image_list: Vec<u32>,
    /// 1 pass, 2 violation.
    #[garde(range(min = 1, max = 2))]
    pub review_answer: i32,
    /// Whether the anchor is told of a violation.
    #[garde(skip)]
    #[serde(default)]
    pub notify: bool,
    /// What the anchor is told, in place of the common text; at most 255 characters.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    pub message: Option<String>,
}

/// Which jobs of the review service to list; in the query, or as a JSON body.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(default)]
pub struct ListWanted {
    /// Begun from here on; a day before `end` when absent.
    #[garde(skip)]
    pub start: Option<TimeInput>,
    /// Begun until here; now when absent.
    #[garde(skip)]
    pub end: Option<TimeInput>,
    /// `waiting`, `doing`, `stop` or `finished`.
    #[garde(length(chars, max = 64))]
    pub status: String,
    /// From 1, 10 when absent; more than 100 counts as 100.
    #[garde(inner(range(min = 1)))]
    pub limit: Option<i64>,
    /// From the answer before.
    #[garde(length(chars, max = 1024))]
    pub marker: String,
}

/// Which results of a job to read; in the query, or as a JSON body.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(default)]
pub struct QueryWanted {
    /// The service's id of the job.
    #[garde(length(chars, min = 1, max = 255))]
    pub job: String,
    /// `pass`, `review`, `block`; empty for all.
    #[garde(length(max = 10), inner(length(chars, max = 64)))]
    pub suggestions: Vec<String>,
    /// From here on; ten minutes before `end` when absent.
    #[garde(skip)]
    pub start: Option<TimeInput>,
    /// Until here; now when absent.
    #[garde(skip)]
    pub end: Option<TimeInput>,
}

/// A reviewed room. Times are Unix milliseconds, 0 when unset.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewedRoomView {
    /// The room.
    pub live_id: String,
    /// Title.
    pub title: String,
    /// The anchor.
    pub anchor_id: String,
    /// The anchor's name.
    pub nick: String,
    /// 0 created, 1 live, 2 ended.
    #[schema(value_type = u8)]
    pub live_status: LiveStatus,
    /// 0 away, 1 in the room.
    pub anchor_status: u8,
    /// `censor` when an operator has ended the live.
    pub stop_reason: String,
    /// When it was so ended.
    pub stop_at: i64,
    /// When it began.
    pub start_at: i64,
    /// When the last picture was taken.
    pub time: i64,
    /// Pictures that wait for an operator.
    pub count: i32,
    /// Pictures that operators have judged to break the rules.
    pub violation_count: i64,
    /// All pictures that the review service has reported.
    pub ai_count: i64,
    /// Where the anchor publishes.
    pub push_url: String,
    /// Where RTMP players play.
    pub rtmp_play_url: String,
    /// Where HTTP-FLV players play.
    pub flv_play_url: String,
    /// Where HLS players play.
    pub hls_play_url: String,
}

impl ReviewedRoomView {
    /// The view of a room with so many pictures and violations.
    #[must_use]
    pub fn new(row: &ReviewedRoom, pictures: i64, violations: i64) -> Self {
        let room = &row.room;
        let millis = |at: Option<DateTime<Utc>>| at.map_or(0, |at| at.timestamp_millis());
        Self {
            live_id: room.live_id.clone(),
            title: room.title.clone(),
            anchor_id: room.anchor_id.clone(),
            nick: row.nick.clone(),
            live_status: room.status,
            anchor_status: u8::from(row.anchor_in),
            stop_reason: room.stop_reason.clone(),
            stop_at: millis(room.stop_at),
            start_at: millis(room.start_at),
            time: i64::from(row.last_picture) * 1000,
            count: row.waiting,
            violation_count: violations,
            ai_count: pictures,
            push_url: room.push_url.clone(),
            rtmp_play_url: room.rtmp_url.clone(),
            flv_play_url: room.flv_url.clone(),
            hls_play_url: room.hls_url.clone(),
        }
    }
}

/// A picture that the review service has reported. Times are Unix milliseconds, 0 when unset.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImageView {
    /// Its number.
    pub id: u32,
    /// Where it is.
    pub url: String,
    /// The service's id of the job.
    pub job_id: String,
    /// When it was taken.
    pub created_at: i64,
    /// The service's verdict: `pass`, `review` or `block`.
    pub suggestion: String,
    /// On pornography.
    pub pulp: String,
    /// On violence.
    pub terror: String,
    /// On politicians.
    pub politician: String,
    /// On advertisements.
    pub ads: String,
    /// The room.
    pub live_id: String,
    /// 0 waits for an operator, 1 judged.
    pub is_review: i32,
    /// The operator's verdict: 1 pass, 2 violation, 0 none yet.
    pub review_answer: i32,
    /// The operator.
    pub review_user_id: String,
    /// When the operator judged.
    pub review_time: i64,
}

impl ImageView {
    /// The view of a row, whose wall-clock time `instant` reads.
    #[must_use]
    pub fn new(row: Model, instant: impl Fn(WallTime) -> DateTime<Utc>) -> Self {
        let text = Option::<String>::unwrap_or_default;
        Self {
            id: row.id,
            url: row.url,
            job_id: row.job_id,
            created_at: i64::from(row.created_at.unwrap_or_default()) * 1000,
            suggestion: text(row.suggestion),
            pulp: text(row.pulp),
            terror: text(row.terror),
            politician: text(row.politician),
            ads: text(row.ads),
            live_id: text(row.live_id),
            is_review: row.is_review.unwrap_or_default(),
            review_answer: row.review_answer.unwrap_or_default(),
            review_user_id: text(row.review_user_id),
            review_time: row.review_time.map_or(0, |at| instant(at).timestamp_millis()),
        }
    }
}
