//! Table `live_moderator`: who helps the anchor of a room.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "live_moderator")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The room.
    pub live_id: String,
    /// The moderator.
    pub user_id: String,
    /// Who appointed them; empty for a backend.
    pub by_user: String,
    /// In which role.
    pub by_role: String,
    /// When.
    pub created_at: WallTime,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
