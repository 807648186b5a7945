//! Index of `live_gift`: the gifts to an anchor, the newest first.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000049_live_gift_idx_anchor_id",
    table: "live_gift",
    key: index("idx_anchor_id", &["anchor_id"]),
};
