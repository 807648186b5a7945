//! `items`: goods on sale in a room.

use crate::step::{Step, Table, column, index};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000006_items",
    table: Table {
        name: "items",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("created_at", "datetime DEFAULT NULL"),
            column("updated_at", "datetime DEFAULT NULL"),
            column("deleted_at", "datetime DEFAULT NULL"),
            column("live_id", "varchar(64) DEFAULT NULL"),
            column("item_id", "varchar(64) DEFAULT NULL"),
            column("order", "int unsigned DEFAULT NULL"),
            column("title", "varchar(64) DEFAULT NULL"),
            column("tags", "varchar(128) DEFAULT NULL"),
            column("thumbnail", "varchar(255) DEFAULT NULL"),
            column("link", "varchar(255) DEFAULT NULL"),
            column("current_price", "varchar(64) DEFAULT NULL"),
            column("origin_price", "varchar(64) DEFAULT NULL"),
            column("status", "int unsigned DEFAULT NULL"),
            column("record_id", "int unsigned DEFAULT NULL"),
            column("extends", "varchar(1024) DEFAULT NULL"),
        ],
        keys: &[index("idx_live_status", &["live_id", "status"])],
    },
};
