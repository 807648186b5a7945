//! Column `reaction_owner` of `room_lane`: who of the reaction consumers has the lane.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000037_room_lane_reaction_owner",
    table: "room_lane",
    column: column("reaction_owner", "varchar(64) DEFAULT NULL"),
};
