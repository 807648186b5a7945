//! `stats_single_live`: counts per room, kind, user and business id.

use crate::step::{Step, Table, column, index, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000009_stats_single_live",
    table: Table {
        name: "stats_single_live",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("live_id", "varchar(255) DEFAULT NULL"),
            column("biz_id", "varchar(255) DEFAULT NULL"),
            column("user_id", "varchar(64) DEFAULT NULL"),
            column("type", "int DEFAULT NULL"),
            column("count", "int DEFAULT '0'"),
            column("updated_at", "datetime DEFAULT NULL"),
        ],
        keys: &[
            unique("uix_type_live_user_biz", &["type", "live_id", "user_id", "biz_id"]),
            index("idx_live_user", &["live_id", "user_id"]),
        ],
    },
};
