//! Column `pay_code` of `live_gift`: the code of its refusal.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000044_live_gift_pay_code",
    table: "live_gift",
    column: column("pay_code", "bigint DEFAULT NULL"),
};
