//! Column `client_key` of `live_gift`: what makes a repeated send of a user the same gift.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000040_live_gift_client_key",
    table: "live_gift",
    column: column("client_key", "varchar(64) DEFAULT NULL"),
};
