//! Column `reaction_due` of `room_lane`: when the reaction consumer looks at the lane next.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000036_room_lane_reaction_due",
    table: "room_lane",
    column: column("reaction_due", "bigint DEFAULT NULL"),
};
