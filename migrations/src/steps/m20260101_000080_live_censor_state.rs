//! How far a review job is; NULL in rows of QNLiveKit_Server.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000080_live_censor_state",
    table: "live_censor",
    column: column("state", "int DEFAULT NULL"),
};
