//! Column `full_ip` of `operation_log`: an address that `ip` is too narrow for.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000130_operation_log_full_ip",
    table: "operation_log",
    column: column("full_ip", "varchar(45) DEFAULT NULL"),
};
