//! Column `callback_due` of `room_lane`: when the callback consumer looks at the lane next.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000032_room_lane_callback_due",
    table: "room_lane",
    column: column("callback_due", "bigint DEFAULT NULL"),
};
