//! `admin_revocation`: which tokens of administrators are revoked, also of those who were deleted.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000121_admin_revocation",
    table: Table {
        name: "admin_revocation",
        primary: "user_id",
        columns: &[column("user_id", "varchar(255) NOT NULL"), column("revoked_at", "bigint NOT NULL")],
        keys: &[],
    },
};
