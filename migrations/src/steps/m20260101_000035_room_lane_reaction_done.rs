//! Column `reaction_done` of `room_lane`: up to which event the reaction consumer has handled the lane.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000035_room_lane_reaction_done",
    table: "room_lane",
    column: column("reaction_done", "bigint DEFAULT NULL"),
};
