//! Column `has_callbacks` of `node_registry`: whether the node has an address for callbacks.

use crate::step::{Step, column};

pub(crate) const STEP: Step = Step::Column {
    step: "m20260101_000091_node_registry_has_callbacks",
    table: "node_registry",
    column: column("has_callbacks", "tinyint(1) NOT NULL DEFAULT '0'"),
};
