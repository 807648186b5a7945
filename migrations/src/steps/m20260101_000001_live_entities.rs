//! `live_entities`: live rooms.

use crate::step::{Step, Table, column, index, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000001_live_entities",
    table: Table {
        name: "live_entities",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("live_id", "varchar(64) DEFAULT NULL"),
            column("title", "varchar(128) DEFAULT NULL"),
            column("notice", "varchar(255) DEFAULT NULL"),
            column("cover_url", "varchar(255) DEFAULT NULL"),
            column("extends", "varchar(1024) DEFAULT NULL"),
            column("anchor_id", "varchar(64) DEFAULT NULL"),
            column("status", "int DEFAULT NULL"),
            column("pk_id", "varchar(64) DEFAULT NULL"),
            column("online_count", "int DEFAULT NULL"),
            column("start_at", "datetime DEFAULT NULL"),
            column("end_at", "datetime DEFAULT NULL"),
            column("chat_id", "bigint DEFAULT NULL"),
            column("push_url", "varchar(255) DEFAULT NULL"),
            column("rtmp_play_url", "varchar(255) DEFAULT NULL"),
            column("flv_play_url", "varchar(255) DEFAULT NULL"),
            column("hls_play_url", "varchar(255) DEFAULT NULL"),
            column("last_heartbeat_at", "datetime DEFAULT NULL"),
            column("created_at", "datetime DEFAULT NULL"),
            column("updated_at", "datetime DEFAULT NULL"),
            column("deleted_at", "datetime DEFAULT NULL"),
            column("stop_reason", "varchar(64) DEFAULT ''"),
            column("stop_user_id", "varchar(64) DEFAULT ''"),
            column("stop_at", "datetime DEFAULT NULL"),
            column("unreview_censor_count", "int DEFAULT NULL"),
            column("last_censor_time", "int DEFAULT NULL"),
        ],
        keys: &[
            unique("live_id", &["live_id"]),
            index("idx_status_deleted_at", &["status", "deleted_at"]),
            index("idx_anchor_deleted_at", &["anchor_id", "deleted_at"]),
        ],
    },
};
