//! Column `asks` of `live_gift`: how often the payment service was asked.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000041_live_gift_asks",
    table: "live_gift",
    column: column("asks", "int NOT NULL DEFAULT '0'"),
};
