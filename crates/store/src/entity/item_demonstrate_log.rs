//! Table `item_demonstrate_log`: recordings of demonstrations.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "item_demonstrate_log")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// The room.
    pub live_id: Option<String>,
    /// The item.
    pub item_id: Option<String>,
    /// Beginning of the recording.
    pub start: Option<WallTime>,
    /// End of the recording.
    pub end: Option<WallTime>,
    /// The recording's file.
    pub fname: Option<String>,
    /// State of the recording.
    pub status: Option<i32>,
    /// File format.
    pub format: Option<i32>,
    /// Days until the file is deleted.
    #[sea_orm(column_name = "expireDays")]
    pub expire_days: Option<i32>,
    /// The media service's id of the saving job.
    #[sea_orm(column_name = "persistentID")]
    pub persistent_id: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
