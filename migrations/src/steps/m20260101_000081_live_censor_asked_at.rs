//! When the review service was asked for a job.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000081_live_censor_asked_at",
    table: "live_censor",
    column: column("asked_at", "datetime DEFAULT NULL"),
};
