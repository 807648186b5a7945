//! Index `idx_flag` of `live_gift`: the few gifts that somebody should look at.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000099_live_gift_idx_flag",
    table: "live_gift",
    key: index("idx_flag", &["flag"]),
};
