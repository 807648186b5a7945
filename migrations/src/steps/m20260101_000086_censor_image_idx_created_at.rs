//! Index of `censor_image` for the latest pictures.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000086_censor_image_idx_created_at",
    table: "censor_image",
    key: index("idx_created_at", &["created_at"]),
};
