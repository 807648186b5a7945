//! Column `reaction_attempts` of `room_lane`: how often the reaction consumer failed at the next event.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000038_room_lane_reaction_attempts",
    table: "room_lane",
    column: column("reaction_attempts", "int NOT NULL DEFAULT 0"),
};
