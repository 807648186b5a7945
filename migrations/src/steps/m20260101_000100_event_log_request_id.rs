//! Column `request_id` of `event_log`: the id of the request that made the event.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000100_event_log_request_id",
    table: "event_log",
    column: column("request_id", "varchar(64) DEFAULT NULL"),
};
