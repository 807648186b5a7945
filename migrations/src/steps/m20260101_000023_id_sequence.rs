//! `id_sequence`: counters that blocks of ids are reserved from.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000023_id_sequence",
    table: Table {
        name: "id_sequence",
        primary: "name",
        columns: &[column("name", "varchar(32) NOT NULL"), column("next_id", "bigint NOT NULL")],
        keys: &[],
    },
};
