//! Table `node_registry`: nodes, and the right of each to issue ids.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "node_registry")]
pub struct Model {
    /// The node, 0 to 1023.
    #[sea_orm(primary_key, auto_increment = false)]
    pub node_id: i32,
    /// The process that holds it, or empty.
    pub owner: String,
    /// Until when, by the database's clock.
    pub lease_until_ms: i64,
    /// No id of a later millisecond was issued.
    pub id_high_water_ms: i64,
    /// When the node last failed to reach the cache; 0: never.
    pub cache_failed_ms: i64,
    /// Version of the server.
    pub version: String,
    /// Last renewal, by the database's clock.
    pub updated_ms: i64,
    /// Whether the node has an address for callbacks.
    pub has_callbacks: bool,
    /// What the node counts, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub report: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
