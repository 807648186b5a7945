//! Column `report` of `node_registry`: what the node counts, as JSON; for the console.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000097_node_registry_report",
    table: "node_registry",
    column: column("report", "text DEFAULT NULL"),
};
