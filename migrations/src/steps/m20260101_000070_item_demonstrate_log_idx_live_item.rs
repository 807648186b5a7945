//! Index of `item_demonstrate_log` for the recordings of a room, and of one item in it.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000070_item_demonstrate_log_idx_live_item",
    table: "item_demonstrate_log",
    key: index("idx_live_item", &["live_id", "item_id"]),
};
