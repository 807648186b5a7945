//! Column `callback_done` of `room_lane`: up to which event the callback consumer has handled the lane.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000031_room_lane_callback_done",
    table: "room_lane",
    column: column("callback_done", "bigint DEFAULT NULL"),
};
