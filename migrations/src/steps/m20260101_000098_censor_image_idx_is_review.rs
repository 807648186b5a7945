//! Index `idx_is_review` of `censor_image`: pictures that wait for a verdict, counted and listed.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000098_censor_image_idx_is_review",
    table: "censor_image",
    key: index("idx_is_review", &["is_review", "created_at"]),
};
