//! Index of `live_censor` for the jobs that are not closed.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000082_live_censor_idx_state",
    table: "live_censor",
    key: index("idx_state", &["state"]),
};
