//! Index of `live_room_user_entities` for one member of a room.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000026_live_room_user_entities_idx_live_user_id",
    table: "live_room_user_entities",
    key: index("idx_live_user_id", &["live_id", "user_id"]),
};
