//! `live_users`: users.

use crate::step::{Step, Table, column, index, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000003_live_users",
    table: Table {
        name: "live_users",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("user_id", "varchar(64) DEFAULT NULL"),
            column("nick", "varchar(64) DEFAULT NULL"),
            column("avatar", "varchar(255) DEFAULT NULL"),
            column("extends", "json DEFAULT NULL"),
            column("im_userid", "bigint DEFAULT NULL"),
            column("im_username", "varchar(64) DEFAULT NULL"),
            column("im_password", "varchar(32) DEFAULT NULL"),
            column("created_at", "datetime DEFAULT NULL"),
            column("updated_at", "datetime DEFAULT NULL"),
            column("deleted_at", "datetime DEFAULT NULL"),
        ],
        keys: &[unique("user_id", &["user_id"]), index("idx_im_userid", &["im_userid"])],
    },
};
