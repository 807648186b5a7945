//! `live_censor`: review jobs of rooms.

use crate::step::{Step, Table, column, index};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000013_live_censor",
    table: Table {
        name: "live_censor",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL AUTO_INCREMENT"),
            column("live_id", "varchar(255) DEFAULT NULL"),
            column("job_id", "varchar(255) DEFAULT NULL"),
            column("pulp", "tinyint(1) DEFAULT '0'"),
            column("terror", "tinyint(1) DEFAULT '0'"),
            column("politician", "tinyint(1) DEFAULT '0'"),
            column("ads", "tinyint(1) DEFAULT '0'"),
            column("interval", "int DEFAULT NULL"),
        ],
        keys: &[index("idx_live_job", &["live_id", "job_id"])],
    },
};
