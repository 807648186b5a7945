//! Index of `live_gift`: one gift for each key of a user.

use crate::step::{Step, unique};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000047_live_gift_uix_client_key",
    table: "live_gift",
    key: unique("uix_client_key", &["client_key"]),
};
