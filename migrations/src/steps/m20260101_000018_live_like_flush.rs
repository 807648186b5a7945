//! `live_like_flush`: how far an old server had written its likes; one row.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000018_live_like_flush",
    table: Table {
        name: "live_like_flush",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL"),
            column("last_update_time", "int unsigned NOT NULL"),
        ],
        keys: &[],
    },
};
