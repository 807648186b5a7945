//! Index `idx_created_at` of `live_gift`: the gifts of a time, for exports.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000110_live_gift_idx_created_at",
    table: "live_gift",
    key: index("idx_created_at", &["created_at"]),
};
