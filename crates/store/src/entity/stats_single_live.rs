//! Table `stats_single_live`: counts per room, kind, user and business id.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stats_single_live")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// The room.
    pub live_id: Option<String>,
    /// What was counted, such as an item.
    pub biz_id: Option<String>,
    /// The user.
    pub user_id: Option<String>,
    /// Kind of the count.
    #[sea_orm(column_name = "type")]
    pub kind: Option<i32>,
    /// The count.
    pub count: Option<i32>,
    /// When it was last changed.
    pub updated_at: Option<WallTime>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
