//! Column `traceparent` of `event_log`: the span that made the event (W3C Trace Context).

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000102_event_log_traceparent",
    table: "event_log",
    column: column("traceparent", "varchar(55) DEFAULT NULL"),
};
