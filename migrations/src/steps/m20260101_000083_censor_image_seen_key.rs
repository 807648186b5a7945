//! What makes a review result the same as one before; NULL in rows of QNLiveKit_Server.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000083_censor_image_seen_key",
    table: "censor_image",
    column: column("seen_key", "varchar(64) DEFAULT NULL"),
};
