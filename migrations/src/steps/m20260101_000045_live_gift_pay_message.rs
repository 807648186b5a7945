//! Column `pay_message` of `live_gift`: the text of its refusal.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000045_live_gift_pay_message",
    table: "live_gift",
    column: column("pay_message", "varchar(255) DEFAULT NULL"),
};
