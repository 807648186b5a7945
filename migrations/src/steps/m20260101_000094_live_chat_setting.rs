//! `live_chat_setting`: how people may chat in a room.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000094_live_chat_setting",
    table: Table {
        name: "live_chat_setting",
        primary: "live_id",
        columns: &[
            column("live_id", "varchar(64) NOT NULL"),
            column("slow_mode_s", "int NOT NULL"),
            column("is_muted", "tinyint(1) NOT NULL"),
            column("updated_at", "datetime NOT NULL"),
        ],
        keys: &[],
    },
};
