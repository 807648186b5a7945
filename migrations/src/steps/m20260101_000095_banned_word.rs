//! `banned_word`: words that no message may have, in any room.

use crate::step::{Step, Table, column, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000095_banned_word",
    table: Table {
        name: "banned_word",
        primary: "id",
        columns: &[
            column("id", "bigint NOT NULL AUTO_INCREMENT"),
            column("word", "varchar(64) NOT NULL"),
            column("by_user", "varchar(64) NOT NULL"),
            column("created_at", "datetime NOT NULL"),
        ],
        keys: &[unique("uix_word", &["word"])],
    },
};
