//! Column `flag` of `live_gift`: why an operator should look at the gift.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000046_live_gift_flag",
    table: "live_gift",
    column: column("flag", "varchar(255) DEFAULT NULL"),
};
