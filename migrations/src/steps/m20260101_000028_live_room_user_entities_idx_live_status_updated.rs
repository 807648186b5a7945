//! Index of `live_room_user_entities` for a room's viewers in order.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000028_live_room_user_entities_idx_live_status_updated",
    table: "live_room_user_entities",
    key: index("idx_live_status_updated", &["live_id", "status", "updated_at"]),
};
