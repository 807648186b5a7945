//! Index of `room_lane` for the lanes that are due for the reaction consumer.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000039_room_lane_idx_reaction_due",
    table: "room_lane",
    key: index("idx_reaction_due", &["reaction_due"]),
};
