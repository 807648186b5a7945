//! Index of `live_room_user_entities` for the silent among those present.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000027_live_room_user_entities_idx_status_heart_beat",
    table: "live_room_user_entities",
    key: index("idx_status_heart_beat", &["status", "heart_beat_at"]),
};
