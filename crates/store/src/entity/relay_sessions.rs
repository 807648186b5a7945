//! Table `relay_sessions`: pK sessions between two rooms.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "relay_sessions")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// The session's id, a snowflake in decimal.
    pub sid: Option<String>,
    /// The anchor who asked.
    pub init_user_id: Option<String>,
    /// That anchor's room.
    pub init_room_id: Option<String>,
    /// The anchor who was asked.
    pub recv_user_id: Option<String>,
    /// That anchor's room.
    pub recv_room_id: Option<String>,
    /// JSON object of texts.
    pub extends: Option<String>,
    /// State of the session.
    pub status: Option<i32>,
    /// When it began.
    pub start_at: Option<WallTime>,
    /// When it ended.
    pub stop_at: Option<WallTime>,
    /// When the row was made.
    pub created_at: Option<WallTime>,
    /// When the row was last changed.
    pub updated_at: Option<WallTime>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
