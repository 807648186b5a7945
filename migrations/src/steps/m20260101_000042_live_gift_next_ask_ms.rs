//! Column `next_ask_ms` of `live_gift`: when it is to be asked again.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000042_live_gift_next_ask_ms",
    table: "live_gift",
    column: column("next_ask_ms", "bigint DEFAULT NULL"),
};
