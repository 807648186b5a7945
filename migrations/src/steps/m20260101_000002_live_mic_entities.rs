//! `live_mic_entities`: seats on the microphone.

use crate::step::{Step, Table, column, index};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000002_live_mic_entities",
    table: Table {
        name: "live_mic_entities",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("live_id", "varchar(64) DEFAULT NULL"),
            column("user_id", "varchar(64) DEFAULT NULL"),
            column("mic", "tinyint(1) DEFAULT NULL"),
            column("camera", "tinyint(1) DEFAULT NULL"),
            column("status", "int DEFAULT NULL"),
            column("extends", "varchar(1024) DEFAULT NULL"),
            column("created_at", "datetime DEFAULT NULL"),
            column("updated_at", "datetime DEFAULT NULL"),
            column("deleted_at", "datetime DEFAULT NULL"),
        ],
        keys: &[index("idx_live", &["live_id", "deleted_at"]), index("idx_user", &["user_id", "deleted_at"])],
    },
};
