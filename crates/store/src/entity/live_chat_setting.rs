//! Table `live_chat_setting`: how people may chat in a room.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "live_chat_setting")]
pub struct Model {
    /// The room.
    #[sea_orm(primary_key, auto_increment = false)]
    pub live_id: String,
    /// At least so many seconds between two messages of a user; 0 is off.
    pub slow_mode_s: i32,
    /// Whether only the anchor and moderators may write.
    pub is_muted: bool,
    /// When it was set last.
    pub updated_at: WallTime,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
