//! `live_like`: likes per room and user.

use crate::step::{Step, Table, column, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000015_live_like",
    table: Table {
        name: "live_like",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("live_id", "varchar(64) NOT NULL"),
            column("user_id", "varchar(64) NOT NULL"),
            column("count", "int NOT NULL"),
            column("created_at", "datetime DEFAULT NULL"),
            column("updated_at", "datetime DEFAULT NULL"),
        ],
        keys: &[unique("live_user", &["live_id", "user_id"])],
    },
};
