//! Column `callback_attempts` of `room_lane`: how often the callback consumer failed at the next event.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000034_room_lane_callback_attempts",
    table: "room_lane",
    column: column("callback_attempts", "int NOT NULL DEFAULT 0"),
};
