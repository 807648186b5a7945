//! `replica_heartbeat`: one row that tells how recent a copy of the database is.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000024_replica_heartbeat",
    table: Table {
        name: "replica_heartbeat",
        primary: "id",
        columns: &[column("id", "int NOT NULL"), column("beat_ms", "bigint NOT NULL")],
        keys: &[],
    },
};
