//! `callback_delivery`: callbacks that left their room's lane and are delivered on their own.

use crate::step::{Step, Table, column, index, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000030_callback_delivery",
    table: Table {
        name: "callback_delivery",
        primary: "id",
        columns: &[
            column("id", "bigint NOT NULL AUTO_INCREMENT"),
            column("webhook_id", "varchar(255) NOT NULL"),
            column("live_id", "varchar(64) NOT NULL"),
            column("seq", "bigint NOT NULL"),
            column("kind", "varchar(32) NOT NULL"),
            column("body", "mediumtext NOT NULL"),
            column("state", "int NOT NULL"),
            column("attempts", "int NOT NULL"),
            column("due", "bigint DEFAULT NULL"),
            column("owner", "varchar(64) DEFAULT NULL"),
            column("last_error", "varchar(255) NOT NULL DEFAULT ''"),
            column("event_at", "datetime NOT NULL"),
            column("created_at", "datetime NOT NULL"),
            column("updated_at", "datetime NOT NULL"),
        ],
        keys: &[
            unique("uix_webhook_id", &["webhook_id"]),
            index("idx_due", &["due"]),
            index("idx_state_updated", &["state", "updated_at"]),
            index("idx_live", &["live_id"]),
        ],
    },
};
