//! What an event says to the business service: `{"type": …, "body": …}`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::event::{DomainEvent, LiveRow, StoredEvent};
use crate::user::{User, UserView, Users};
use store::lookup::SharedError;

/// What stays as it is in a `webhook-id`; its parts must not hold the `.` of the signed text.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');

/// A callback.
#[derive(Clone, Debug)]
pub(super) struct Callback {
    /// `type`.
    pub kind: &'static str,
    /// The JSON text.
    pub json: String,
}

/// The id of an event's callback. A function of what names the event, so that it is the same whoever
/// sends it, and whenever.
pub(super) fn webhook_id(live_id: &str, seq: i64) -> String {
    format!("evt_{}_{seq}", utf8_percent_encode(live_id, ESCAPED))
}

/// Makes callbacks of events.
#[derive(Clone)]
pub(super) struct Bodies {
    users: Users,
}

impl Bodies {
    pub(super) fn new(users: Users) -> Self {
        Self { users }
    }

    /// The callback of `event`; None when nobody is told of events of its kind.
    ///
    /// # Errors
    /// When the room's anchor cannot be looked up.
    pub(super) async fn of(&self, event: &StoredEvent) -> Result<Option<Callback>, SharedError> {
        let live_id = || json!({ "live_id": event.live_id });
        let (kind, body) = match &event.event {
            Some(DomainEvent::LiveCreated { room }) => ("live_created", self.room(room).await?),
            Some(DomainEvent::LiveStarted) => ("live_started", live_id()),
            Some(DomainEvent::LiveStopped { .. }) => ("live_stopped", live_id()),
            Some(DomainEvent::LiveDeleted) => ("live_deleted", live_id()),
            Some(DomainEvent::PkStarted { relay }) => ("pk_started", json!(relay)),
            Some(DomainEvent::PkStopped { relay }) => ("pk_stopped", json!(relay)),
            Some(DomainEvent::GiftSent { gift }) => ("gift_send", json!(gift)),
            _ => return Ok(None),
        };
        let json = json!({ "type": kind, "body": body }).to_string();
        Ok(Some(Callback { kind, json }))
    }

    /// A new room, under the names of the stored row and, beside them, those of the API.
    async fn room(&self, room: &LiveRow) -> Result<Value, SharedError> {
        let anchor_id = room.anchor_id.as_deref().unwrap_or_default();
        let anchor = self.users.known(anchor_id).await?;
        let anchor =
            anchor.map_or_else(|| UserView::of(&User::unknown(anchor_id)), |anchor| UserView::of(&anchor));
        let mut body = match json!(room) {
            Value::Object(columns) => columns,
            _ => Map::new(),
        };
        let extends = room.extends.as_deref().and_then(|text| serde_json::from_str(text).ok());
        body.extend([
            ("extends".to_owned(), extends.unwrap_or(Value::Null)),
            ("live_status".to_owned(), json!(room.status.unwrap_or_default())),
            ("start_time".to_owned(), json!(room.start_at.unwrap_or_default())),
            ("end_time".to_owned(), json!(room.end_at.unwrap_or_default())),
            ("rtmp_url".to_owned(), json!(room.rtmp_play_url.as_deref().unwrap_or_default())),
            ("flv_url".to_owned(), json!(room.flv_play_url.as_deref().unwrap_or_default())),
            ("hls_url".to_owned(), json!(room.hls_play_url.as_deref().unwrap_or_default())),
            ("anchor_info".to_owned(), json!(anchor)),
        ]);
        // Of a room that was just made these are known.
        body.extend(["anchor_status", "pv", "uv", "total_count", "total_mics"].map(zero));
        body.insert("room_token".to_owned(), json!(""));
        Ok(Value::Object(body))
    }
}

fn zero(name: &str) -> (String, Value) {
    (name.to_owned(), json!(0))
}
