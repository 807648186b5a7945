//! `stream_session`: whether a room's stream is being published.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000025_stream_session",
    table: Table {
        name: "stream_session",
        primary: "live_id",
        columns: &[
            column("live_id", "varchar(64) NOT NULL"),
            column("session", "varchar(128) NOT NULL"),
            column("up", "tinyint(1) NOT NULL"),
            column("since", "datetime NOT NULL"),
        ],
        keys: &[],
    },
};
