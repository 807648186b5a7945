//! Column `appended_ms` of `event_log`: when the event was appended, by the database's clock.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000090_event_log_appended_ms",
    table: "event_log",
    column: column("appended_ms", "bigint DEFAULT NULL"),
};
