//! Table `banned_word`: words that no message may have, in any room.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "banned_word")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The word as it was given.
    pub word: String,
    /// The administrator who added it; empty for a backend.
    pub by_user: String,
    /// When.
    pub created_at: WallTime,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
