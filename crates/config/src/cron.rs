//! `cron`: time-driven work.

use serde::Serialize;

use super::node::MAX_NODE_ID;
use super::section::Section;

/// `cron` (`cron_config`)
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CronConfig {
    /// The `node.node_id` of the node that does the work which only one may do.
    pub single_task_node: u16,
    /// Another node takes over when that node is gone for longer than this many seconds.
    pub lease_s: u64,
}

impl Default for CronConfig {
    fn default() -> Self {
        Self { single_task_node: 1, lease_s: 10 }
    }
}

impl CronConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            single_task_node: section.number("single_task_node", default.single_task_node, 0..=MAX_NODE_ID),
            lease_s: section.number("lease_s", default.lease_s, 1..=3600),
        }
    }
}
