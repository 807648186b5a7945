//! `room_lane`: the order of each room's events.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000020_room_lane",
    table: Table {
        name: "room_lane",
        primary: "live_id",
        columns: &[column("live_id", "varchar(64) NOT NULL"), column("seq", "bigint NOT NULL")],
        keys: &[],
    },
};
