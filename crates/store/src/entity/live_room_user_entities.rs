//! Table `live_room_user_entities`: who is or was in which room. An adopted table may hold several rows per user and room.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "live_room_user_entities")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// The room.
    pub live_id: Option<String>,
    /// The user.
    pub user_id: Option<String>,
    /// Whether the user is in the room.
    pub status: Option<i32>,
    /// When the user was last heard.
    pub heart_beat_at: Option<WallTime>,
    /// When the row was made.
    pub created_at: Option<WallTime>,
    /// When the row was last changed.
    pub updated_at: Option<WallTime>,
    /// When the row was deleted; NULL while it counts.
    pub deleted_at: Option<WallTime>,
    /// Whether the user may hold a microphone seat in the room; NULL when it is not known.
    pub mic_seat: Option<bool>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
