//! Domain events: every change that someone outside cares about, in one log.
//!
//! A feature appends an event in the transaction that makes the change, so that neither exists
//! without the other. Events of a room are numbered 1, 2, 3 … in the order of their commits, without
//! gaps; whoever follows a room remembers that number.

mod append;
mod backlog;
pub mod consumer;
pub mod expiry;
mod gift_row;
mod group;
mod later;
mod live_row;
pub mod partitions;
mod relay_row;
mod stored;

pub use append::{append, append_all, append_few};
pub use backlog::{Backlog, backlog, oldest_waiting};
pub use gift_row::GiftRow;
pub use group::{CALLBACKS, Group, REACTIONS};
pub use later::{awaits_reactions, has_after};
pub use live_row::LiveRow;
pub use relay_row::RelayRow;
pub use stored::StoredEvent;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use common::text::Extends;

/// A change of a room. The names of the variants, in snake case, are stored and sent to other
/// services: never rename one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
pub enum DomainEvent {
    /// A room was made.
    LiveCreated {
        /// The room as it is stored.
        #[serde(flatten)]
        room: Box<LiveRow>,
    },
    /// The live began.
    LiveStarted,
    /// The live ended.
    LiveStopped {
        /// Who or what ended it.
        reason: StopReason,
    },
    /// The room was deleted.
    LiveDeleted,
    /// The anchor left the room, or their heartbeat timed out.
    AnchorLeft,
    /// A PK between this room and another began. In the partition of the room that asked for it alone.
    PkStarted {
        /// The session as it is stored.
        #[serde(flatten)]
        relay: Box<RelayRow>,
    },
    /// A PK ended. In the partition of the room that asked for it alone.
    PkStopped {
        /// The session as it is stored.
        #[serde(flatten)]
        relay: Box<RelayRow>,
    },
    /// Keys of a PK's map were set. In the partitions of both rooms.
    PkExtendsChanged {
        /// The session.
        sid: String,
        /// The room that asked for it.
        init_room_id: String,
        /// The room that was asked.
        recv_room_id: String,
        /// The keys that were set, and they alone.
        extends: Extends,
    },
    /// A gift was paid.
    GiftSent {
        /// The gift as its sender sees it.
        #[serde(flatten)]
        gift: Box<GiftRow>,
    },
    /// A user took a microphone seat.
    MicJoined {
        /// Who.
        user_id: String,
    },
    /// A user's microphone seat became free.
    MicLeft {
        /// Who.
        user_id: String,
    },
    /// The anchor began to explain an item.
    ItemDemonstrated {
        /// The item.
        item_id: String,
    },
    /// The explanation of an item ended.
    ItemDemonstrationEnded {
        /// The item.
        item_id: String,
    },
    /// An operator ended the live. Follows the `LiveStopped` of the same transaction.
    CensorStopped {
        /// What the room is told.
        message: String,
    },
    /// An encoder publishes the room's stream.
    StreamUp,
    /// The room's stream is not published any more.
    StreamDown,
}

/// Who or what ended a live. Stored and sent in snake case: never rename one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The anchor.
    Anchor,
    /// The business service, over the server API.
    Server,
    /// The anchor's heartbeat timed out.
    Timeout,
    /// A moderator.
    Censor,
    /// The room was deleted while it was live.
    Deleted,
}

impl DomainEvent {
    /// What the columns `kind` and `body` (a JSON object) of `event_log` hold.
    ///
    /// # Errors
    /// None in practice: every event has a JSON form.
    pub fn encode(&self) -> serde_json::Result<(String, String)> {
        let Encoded { kind, body } = serde_json::from_value(serde_json::to_value(self)?)?;
        Ok((kind, Value::Object(body).to_string()))
    }

    /// The event that the columns `kind` and `body` hold.
    ///
    /// # Errors
    /// When the kind is unknown (a newer version wrote it) or the body does not fit.
    pub fn decode(kind: &str, body: &str) -> serde_json::Result<Self> {
        let body: Map<String, Value> = serde_json::from_str(body)?;
        // An event without content is stored with an empty body, so that it can get some later.
        let event =
            if body.is_empty() { json!({ "kind": kind }) } else { json!({ "kind": kind, "body": body }) };
        serde_json::from_value(event)
    }
}

#[derive(Deserialize)]
struct Encoded {
    kind: String,
    #[serde(default)]
    body: Map<String, Value>,
}
