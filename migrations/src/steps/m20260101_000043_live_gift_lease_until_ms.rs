//! Column `lease_until_ms` of `live_gift`: until when one caller alone may ask it.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000043_live_gift_lease_until_ms",
    table: "live_gift",
    column: column("lease_until_ms", "bigint DEFAULT NULL"),
};
