//! Items and recordings as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_repr::Serialize_repr;
use utoipa::ToSchema;

use common::text::Extends;

/// An item as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ItemView {
    /// The room.
    pub live_id: String,
    /// The business's own id.
    pub item_id: String,
    /// Higher ones are shown first.
    pub order: u32,
    /// Title.
    pub title: String,
    /// Separated by commas.
    pub tags: String,
    /// Picture.
    pub thumbnail: String,
    /// Where it is sold.
    pub link: String,
    /// As it is shown.
    pub current_price: String,
    /// As it is shown, struck through.
    pub origin_price: String,
    /// 0 hidden, 1 on sale, 2 shown, not for sale.
    pub status: u32,
    /// The newest recording of its explanation.
    pub record: Option<RecordView>,
    /// Flat map of the business's own.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

/// The `status` of an item that only its seller sees.
pub const HIDDEN: u32 = 0;

/// Where a recording is in its life; stored as these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize_repr)]
#[repr(i32)]
pub enum RecordStatus {
    /// It can be played.
    Done = 0,
    /// It has ended and is to be saved.
    Waiting = 1,
    /// The media service works on it.
    Running = 2,
    /// It could not be saved.
    Failed = 3,
    /// The explanation goes on.
    Recording = 4,
}

impl RecordStatus {
    /// The status of a stored number; an unknown one is a recording that nobody can play.
    #[must_use]
    pub fn of_column(value: Option<i32>) -> Self {
        match value {
            Some(0) | None => Self::Done,
            Some(1) => Self::Waiting,
            Some(2) => Self::Running,
            Some(4) => Self::Recording,
            Some(_) => Self::Failed,
        }
    }

    /// The number that is stored.
    #[must_use]
    pub fn column(self) -> i32 {
        self as i32
    }
}

/// A recording of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Primary key of the row.
    pub id: u32,
    /// The room.
    pub live_id: String,
    /// The item.
    pub item_id: String,
    /// When it began.
    pub start: Option<DateTime<Utc>>,
    /// When it ended; unset while it goes on.
    pub end: Option<DateTime<Utc>>,
    /// The file; empty until it is saved.
    pub fname: String,
    /// Where it is in its life.
    pub status: RecordStatus,
}

/// A recording as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecordView {
    /// Names the recording.
    pub id: u32,
    /// Where it can be played; empty until it is done.
    pub record_url: String,
    /// Unix seconds.
    pub start: Option<i64>,
    /// Unix seconds; null while it goes on.
    pub end: Option<i64>,
    /// 0 done, 1 waits to be saved, 2 being saved, 3 failed, 4 recording.
    #[schema(value_type = i32)]
    pub status: RecordStatus,
    /// The room.
    pub live_id: String,
    /// The item.
    pub item_id: String,
}

impl RecordView {
    /// The view of `record`, whose file is played at `url`.
    #[must_use]
    pub fn new(record: Record, url: impl FnOnce(&str) -> String) -> Self {
        let is_playable = record.status == RecordStatus::Done && !record.fname.is_empty();
        Self {
            id: record.id,
            record_url: if is_playable { url(&record.fname) } else { String::new() },
            start: record.start.map(|at| at.timestamp()),
            end: record.end.map(|at| at.timestamp()),
            status: record.status,
            live_id: record.live_id,
            item_id: record.item_id,
        }
    }
}
