//! A review result is stored once.

use crate::step::{Step, unique};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000084_censor_image_uix_seen_key",
    table: "censor_image",
    key: unique("uix_seen_key", &["seen_key"]),
};
