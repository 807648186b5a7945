//! `item_demonstrate`: the item that a room demonstrates now.

use crate::step::{Step, Table, column, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000007_item_demonstrate",
    table: Table {
        name: "item_demonstrate",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("live_id", "varchar(255) DEFAULT NULL"),
            column("item_id", "varchar(255) DEFAULT NULL"),
            column("updated_at", "datetime DEFAULT NULL"),
        ],
        keys: &[unique("uix_live", &["live_id"])],
    },
};
