//! `gift_config`: gifts that can be given.

use crate::step::{Step, Table, column, index, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000017_gift_config",
    table: Table {
        name: "gift_config",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("gift_id", "int NOT NULL"),
            column("type", "int NOT NULL DEFAULT '0'"),
            column("name", "varchar(64) NOT NULL"),
            column("amount", "int NOT NULL"),
            column("img", "varchar(512) NOT NULL DEFAULT ''"),
            column("animation_type", "int NOT NULL DEFAULT '0'"),
            column("animation_img", "varchar(512) NOT NULL DEFAULT ''"),
            column("order", "int NOT NULL DEFAULT '0'"),
            column("created_at", "datetime DEFAULT NULL"),
            column("updated_at", "datetime DEFAULT NULL"),
            column("deleted_at", "datetime DEFAULT NULL"),
            column("extends", "varchar(1024) DEFAULT NULL"),
        ],
        keys: &[unique("uid_gift_id", &["gift_id"]), index("idx_type_order", &["type", "order"])],
    },
};
