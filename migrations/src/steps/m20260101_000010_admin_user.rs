//! `admin_user`: operators.

use crate::step::{Step, Table, column, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000010_admin_user",
    table: Table {
        name: "admin_user",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("user_name", "varchar(255) DEFAULT NULL"),
            column("user_id", "varchar(255) DEFAULT NULL"),
            column("password", "varchar(255) DEFAULT NULL"),
            column("description", "varchar(255) DEFAULT NULL"),
        ],
        keys: &[unique("uix_user", &["user_id"])],
    },
};
