//! `operation_log`: what operators did.

use crate::step::{Step, Table, column, index};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000012_operation_log",
    table: Table {
        name: "operation_log",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("user_id", "varchar(30) NOT NULL DEFAULT ''"),
            column("ip", "varchar(30) DEFAULT NULL"),
            column("method", "varchar(10) DEFAULT NULL"),
            column("url", "varchar(1024) DEFAULT NULL"),
            column("args", "varchar(1024) DEFAULT NULL"),
            column("status_code", "int NOT NULL DEFAULT '0'"),
            column("created_at", "timestamp NULL DEFAULT NULL"),
        ],
        keys: &[index("idx_user", &["user_id", "created_at"])],
    },
};
