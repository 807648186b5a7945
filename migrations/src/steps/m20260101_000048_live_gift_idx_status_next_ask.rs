//! Index of `live_gift`: the gifts whose outcome is to be asked for.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000048_live_gift_idx_status_next_ask",
    table: "live_gift",
    key: index("idx_status_next_ask", &["status", "next_ask_ms"]),
};
