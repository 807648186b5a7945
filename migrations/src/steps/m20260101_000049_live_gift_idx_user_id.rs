//! Index of `live_gift`: the gifts of a sender, the newest first.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000049_live_gift_idx_user_id",
    table: "live_gift",
    key: index("idx_user_id", &["user_id"]),
};
