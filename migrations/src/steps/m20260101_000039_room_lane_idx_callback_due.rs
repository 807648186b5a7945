//! Index of `room_lane` for the lanes that are due for the callback consumer.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000039_room_lane_idx_callback_due",
    table: "room_lane",
    key: index("idx_callback_due", &["callback_due"]),
};
