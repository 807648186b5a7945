//! Index of `live_entities` for the list of rooms, the latest first.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000029_live_entities_idx_status_updated",
    table: "live_entities",
    key: index("idx_status_updated", &["status", "updated_at"]),
};
