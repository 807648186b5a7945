//! Table `item_demonstrate`: the item that a room demonstrates now.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "item_demonstrate")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// The room.
    pub live_id: Option<String>,
    /// The item.
    pub item_id: Option<String>,
    /// When it was chosen.
    pub updated_at: Option<WallTime>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
