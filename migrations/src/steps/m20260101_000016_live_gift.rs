//! `live_gift`: gifts sent.

use crate::step::{Step, Table, column, index, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000016_live_gift",
    table: Table {
        name: "live_gift",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("biz_id", "varchar(64) NOT NULL"),
            column("live_id", "varchar(64) NOT NULL"),
            column("user_id", "varchar(64) NOT NULL"),
            column("anchor_id", "varchar(64) NOT NULL"),
            column("gift_id", "int NOT NULL"),
            column("amount", "int NOT NULL DEFAULT '0'"),
            column("status", "int NOT NULL DEFAULT '0'"),
            column("created_at", "datetime DEFAULT NULL"),
            column("updated_at", "datetime DEFAULT NULL"),
        ],
        keys: &[unique("uix_biz", &["biz_id"]), index("idx_live_user", &["live_id", "user_id"])],
    },
};
