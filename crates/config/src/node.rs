//! `node`: which node this is, and where its files are.

use std::path::PathBuf;

use serde::Serialize;

use super::section::Section;

/// The highest node id: ids have ten bits for it.
pub const MAX_NODE_ID: u16 = 1023;

/// `node`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeConfig {
    /// 0..=1023, different on every node. Must be given when Redis is used, else 1.
    pub node_id: u16,
    /// Holds the SQLite file and generated keys.
    pub data_dir: PathBuf,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self { node_id: 1, data_dir: PathBuf::from("./data") }
    }
}

impl NodeConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            node_id: section.number("node_id", default.node_id, 0..=MAX_NODE_ID),
            data_dir: section.text("data_dir", &default.data_dir.to_string_lossy()).into(),
        }
    }
}
