//! `relay_sessions`: pK sessions between two rooms.

use crate::step::{Step, Table, column, index, unique};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000005_relay_sessions",
    table: Table {
        name: "relay_sessions",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("sid", "varchar(64) DEFAULT NULL"),
            column("init_user_id", "varchar(64) DEFAULT NULL"),
            column("init_room_id", "varchar(64) DEFAULT NULL"),
            column("recv_user_id", "varchar(64) DEFAULT NULL"),
            column("recv_room_id", "varchar(64) DEFAULT NULL"),
            column("extends", "varchar(1024) DEFAULT NULL"),
            column("status", "int DEFAULT NULL"),
            column("start_at", "datetime DEFAULT NULL"),
            column("stop_at", "datetime DEFAULT NULL"),
            column("created_at", "datetime DEFAULT NULL"),
            column("updated_at", "datetime DEFAULT NULL"),
        ],
        keys: &[
            unique("sid", &["sid"]),
            index("idx_init_room", &["init_room_id"]),
            index("idx_recv_room", &["recv_room_id"]),
        ],
    },
};
