//! Index of `live_entities` for the rooms with the latest pictures.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000087_live_entities_idx_last_censor_time",
    table: "live_entities",
    key: index("idx_last_censor_time", &["last_censor_time"]),
};
