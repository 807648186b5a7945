//! `live_room_user_entities`: who is or was in which room. An adopted table may hold several rows per user and room.

use crate::step::{Step, Table, column, index};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000004_live_room_user_entities",
    table: Table {
        name: "live_room_user_entities",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("live_id", "varchar(64) DEFAULT NULL"),
            column("user_id", "varchar(64) DEFAULT NULL"),
            column("status", "int DEFAULT NULL"),
            column("heart_beat_at", "datetime DEFAULT NULL"),
            column("created_at", "datetime DEFAULT NULL"),
            column("updated_at", "datetime DEFAULT NULL"),
            column("deleted_at", "datetime DEFAULT NULL"),
        ],
        keys: &[index("idx_live", &["live_id"]), index("idx_user", &["user_id"])],
    },
};
