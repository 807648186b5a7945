//! A room and its states.

use chrono::{DateTime, Utc};
use serde_repr::{Deserialize_repr, Serialize_repr};

use crate::im::Target;
use crate::rest::Invalid;
use common::text::Extends;

/// Where a room is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize_repr, Deserialize_repr)]
#[repr(u8)]
pub enum LiveStatus {
    /// Announced; viewers may wait in it.
    Created = 0,
    /// Live.
    Live = 1,
    /// Over, for good.
    Ended = 2,
}

impl LiveStatus {
    /// The status of a stored number; an unknown one is a room that nobody can use any more.
    #[must_use]
    pub fn of_column(value: Option<i32>) -> Self {
        match value {
            Some(0) | None => Self::Created,
            Some(1) => Self::Live,
            Some(_) => Self::Ended,
        }
    }

    /// The number that is stored.
    #[must_use]
    pub fn column(self) -> i32 {
        self as i32
    }
}

/// Which rooms a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Created and live, live first.
    Open,
    /// Of one status.
    Only(LiveStatus),
}

impl Wanted {
    /// Reads `live_status`: -1, 0, 1 or 2.
    ///
    /// # Errors
    /// [`Invalid`] for another number.
    pub fn of_number(number: i64) -> Result<Self, Invalid> {
        match number {
            -1 => Ok(Self::Open),
            0 => Ok(Self::Only(LiveStatus::Created)),
            1 => Ok(Self::Only(LiveStatus::Live)),
            2 => Ok(Self::Only(LiveStatus::Ended)),
            _ => Err(Invalid("live_status: must be -1, 0, 1 or 2".to_owned())),
        }
    }
}

/// A room that is not deleted.
#[derive(Clone, Debug)]
pub struct Room {
    /// Primary key of the row.
    pub row_id: u32,
    /// The room's id, a decimal number in text.
    pub live_id: String,
    /// Title.
    pub title: String,
    /// Notice to the viewers.
    pub notice: String,
    /// Cover picture.
    pub cover_url: String,
    /// Flat map of the app's own.
    pub extends: Option<Extends>,
    /// The user whose room it is.
    pub anchor_id: String,
    /// Where it is in its life.
    pub status: LiveStatus,
    /// The PK under way, or empty.
    pub pk_id: String,
    /// Announced, later real start.
    pub start_at: Option<DateTime<Utc>>,
    /// Announced, later real end.
    pub end_at: Option<DateTime<Utc>>,
    /// The chat room of the IM service.
    pub chat_id: i64,
    /// Signed publish URL.
    pub push_url: String,
    /// Play URL.
    pub rtmp_url: String,
    /// Play URL.
    pub flv_url: String,
    /// Play URL.
    pub hls_url: String,
    /// Why it was ended, when not by its anchor.
    pub stop_reason: String,
    /// The administrator who ended it.
    pub stop_user_id: String,
    /// When it was so ended.
    pub stop_at: Option<DateTime<Utc>>,
}

impl Room {
    /// Those in the room, as who gets a message; None when it has no chat room.
    #[must_use]
    pub fn audience(&self) -> Option<Target> {
        (self.chat_id != 0).then(|| Target::Room { live_id: self.live_id.clone(), chat_id: self.chat_id })
    }
}
