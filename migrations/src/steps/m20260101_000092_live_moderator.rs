//! `live_moderator`: who helps the anchor of a room.

use crate::step::{Step, Table, column, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000092_live_moderator",
    table: Table {
        name: "live_moderator",
        primary: "id",
        columns: &[
            column("id", "bigint NOT NULL AUTO_INCREMENT"),
            column("live_id", "varchar(64) NOT NULL"),
            column("user_id", "varchar(64) NOT NULL"),
            column("by_user", "varchar(64) NOT NULL"),
            column("by_role", "varchar(16) NOT NULL"),
            column("created_at", "datetime NOT NULL"),
        ],
        keys: &[unique("uix_live_user", &["live_id", "user_id"])],
    },
};
