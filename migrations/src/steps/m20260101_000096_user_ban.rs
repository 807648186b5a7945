//! `user_ban`: who is or was banned from the platform, and which of their tokens are revoked.

use crate::step::{Step, Table, column, index};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000096_user_ban",
    table: Table {
        name: "user_ban",
        primary: "user_id",
        columns: &[
            column("user_id", "varchar(64) NOT NULL"),
            column("until_ms", "bigint DEFAULT NULL"),
            column("revoked_at", "bigint NOT NULL"),
            column("reason", "varchar(255) NOT NULL"),
            column("by_user", "varchar(64) NOT NULL"),
            column("created_at", "datetime NOT NULL"),
        ],
        keys: &[index("idx_created_at", &["created_at"])],
    },
};
