//! Column `callback_owner` of `room_lane`: who of the callback consumers has the lane.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000033_room_lane_callback_owner",
    table: "room_lane",
    column: column("callback_owner", "varchar(64) DEFAULT NULL"),
};
