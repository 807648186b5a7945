//! Requests and answers of the PK routes.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use common::text::{self, Extends};

/// A PK to start; the caller is the anchor of `init_room_id`.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct StartPk {
    /// The caller's live room.
    #[garde(length(chars, min = 1, max = 64))]
    pub init_room_id: String,
    /// The other live room.
    #[garde(length(chars, min = 1, max = 64))]
    pub recv_room_id: String,
    /// The anchor of the other room.
    #[garde(custom(text::user_id))]
    pub recv_user_id: String,
    /// At most 1024 bytes as JSON.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

/// Keys to set in a PK's map.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct UpdatePk {
    /// Merged into the map, which then takes at most 1024 bytes as JSON.
    #[garde(custom(text::extends))]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
}

/// A PK as one of its anchors needs it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PkView {
    /// The session's id.
    pub relay_id: String,
    /// 0 wait, 1 agreed, 2 initiator done, 3 receiver done, 4 both done, 5 rejected, 6 stopped.
    pub relay_status: i32,
    /// Lets the caller publish in the other room's RTC room; empty when no RTC app is configured.
    pub relay_token: String,
}

/// How far a PK is.
#[derive(Debug, Serialize, ToSchema)]
pub struct StartedView {
    /// The session's id.
    pub relay_id: String,
    /// As in the answer to the start.
    pub relay_status: i32,
}
