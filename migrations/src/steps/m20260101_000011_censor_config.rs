//! `censor_config`: settings of the content review; one row.

use crate::step::{Step, Table, column};

pub(crate) const STEP: Step = Step::Table {
    step: "m20260101_000011_censor_config",
    table: Table {
        name: "censor_config",
        primary: "id",
        columns: &[
            column("id", "int unsigned NOT NULL"),
            column("enable", "tinyint(1) DEFAULT '0'"),
            column("interval", "int DEFAULT NULL"),
            column("pulp", "tinyint(1) DEFAULT '0'"),
            column("terror", "tinyint(1) DEFAULT '0'"),
            column("politician", "tinyint(1) DEFAULT '0'"),
            column("ads", "tinyint(1) DEFAULT '0'"),
        ],
        keys: &[],
    },
};
