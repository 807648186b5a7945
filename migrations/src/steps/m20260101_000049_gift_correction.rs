//! `gift_correction`: what operators did to gifts by hand.

use crate::step::{Step, Table, column, index, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000049_gift_correction",
    table: Table {
        name: "gift_correction",
        primary: "id",
        columns: &[
            column("id", "bigint NOT NULL AUTO_INCREMENT"),
            column("biz_id", "varchar(64) NOT NULL"),
            column("kind", "varchar(16) NOT NULL"),
            column("amount", "int NOT NULL"),
            column("operator", "varchar(64) NOT NULL"),
            column("reason", "varchar(512) NOT NULL"),
            column("created_at", "datetime NOT NULL"),
            column("refund_of", "varchar(64) DEFAULT NULL"),
        ],
        keys: &[unique("uix_refund_of", &["refund_of"]), index("idx_biz", &["biz_id"])],
    },
};
