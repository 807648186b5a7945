//! Column `request_id` of `callback_delivery`: the id of the request that made the event.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000101_callback_delivery_request_id",
    table: "callback_delivery",
    column: column("request_id", "varchar(64) DEFAULT NULL"),
};
