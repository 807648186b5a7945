//! `event_log`: domain events, appended in the transaction that makes the change.

use crate::step::{Step, Table, column, index, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000019_event_log",
    table: Table {
        name: "event_log",
        primary: "id",
        columns: &[
            column("id", "bigint NOT NULL AUTO_INCREMENT"),
            column("live_id", "varchar(64) NOT NULL"),
            column("seq", "bigint NOT NULL"),
            column("kind", "varchar(32) NOT NULL"),
            column("body", "text NOT NULL"),
            column("created_at", "datetime NOT NULL"),
        ],
        keys: &[unique("uix_live_seq", &["live_id", "seq"]), index("idx_created", &["created_at"])],
    },
};
