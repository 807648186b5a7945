//! Index of `live_entities` for the search for titles by their beginning.

use crate::step::{Step, index};

pub(crate) const STEP: Step = Step::Index {
    step: "m20260101_000030_live_entities_idx_title",
    table: "live_entities",
    key: index("idx_title", &["title"]),
};
