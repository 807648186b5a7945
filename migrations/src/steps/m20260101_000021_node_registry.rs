//! `node_registry`: nodes, and the right of each to issue ids.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000021_node_registry",
    table: Table {
        name: "node_registry",
        primary: "node_id",
        columns: &[
            column("node_id", "int NOT NULL"),
            column("owner", "varchar(255) NOT NULL DEFAULT ''"),
            column("lease_until_ms", "bigint NOT NULL DEFAULT '0'"),
            column("id_high_water_ms", "bigint NOT NULL DEFAULT '0'"),
            column("cache_failed_ms", "bigint NOT NULL DEFAULT '0'"),
            column("version", "varchar(32) NOT NULL DEFAULT ''"),
            column("updated_ms", "bigint NOT NULL DEFAULT '0'"),
        ],
        keys: &[],
    },
};
