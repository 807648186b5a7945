//! Table `leader_lease`: who may do the work that only one node does.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "leader_lease")]
pub struct Model {
    /// What the lease is for.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The process that holds it, or empty.
    pub owner: String,
    /// That process's node.
    pub node_id: i32,
    /// Grows with each change of owner.
    pub token: i64,
    /// Until when, by the database's clock.
    pub expires_ms: i64,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
