//! `leader_lease`: who may do the work that only one node does.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000022_leader_lease",
    table: Table {
        name: "leader_lease",
        primary: "name",
        columns: &[
            column("name", "varchar(32) NOT NULL"),
            column("owner", "varchar(255) NOT NULL DEFAULT ''"),
            column("node_id", "int NOT NULL DEFAULT '0'"),
            column("token", "bigint NOT NULL DEFAULT '0'"),
            column("expires_ms", "bigint NOT NULL DEFAULT '0'"),
        ],
        keys: &[],
    },
};
