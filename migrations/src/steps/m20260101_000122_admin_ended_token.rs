//! `admin_ended_token`: tokens of administrators who have logged out.

use crate::step::{Step, Table, column, index};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000122_admin_ended_token",
    table: Table {
        name: "admin_ended_token",
        primary: "hash",
        columns: &[column("hash", "varchar(64) NOT NULL"), column("expires_at", "bigint NOT NULL")],
        keys: &[index("idx_expires_at", &["expires_at"])],
    },
};
