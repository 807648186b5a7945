//! `item_demonstrate_log`: recordings of demonstrations.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000008_item_demonstrate_log",
    table: Table {
        name: "item_demonstrate_log",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("live_id", "varchar(255) DEFAULT NULL"),
            column("item_id", "varchar(255) DEFAULT NULL"),
            column("start", "datetime DEFAULT NULL"),
            column("end", "datetime DEFAULT NULL"),
            column("fname", "varchar(255) DEFAULT NULL"),
            column("status", "int DEFAULT NULL"),
            column("format", "int DEFAULT NULL"),
            column("expireDays", "int DEFAULT NULL"),
            column("persistentID", "varchar(255) DEFAULT NULL"),
        ],
        keys: &[],
    },
};
