//! Index of `censor_image` for the pictures of a room.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000085_censor_image_idx_live_review",
    table: "censor_image",
    key: index("idx_live_review", &["live_id", "is_review", "created_at"]),
};
