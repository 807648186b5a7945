//! `live_sanction`: who is muted in a room, or banned from it.

use crate::step::{Step, Table, column, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000093_live_sanction",
    table: Table {
        name: "live_sanction",
        primary: "id",
        columns: &[
            column("id", "bigint NOT NULL AUTO_INCREMENT"),
            column("live_id", "varchar(64) NOT NULL"),
            column("kind", "int NOT NULL"),
            column("user_id", "varchar(64) NOT NULL"),
            column("until_ms", "bigint NOT NULL"),
            column("reason", "varchar(255) NOT NULL"),
            column("by_user", "varchar(64) NOT NULL"),
            column("by_role", "varchar(16) NOT NULL"),
            column("created_at", "datetime NOT NULL"),
        ],
        keys: &[unique("uix_live_kind_user", &["live_id", "kind", "user_id"])],
    },
};
