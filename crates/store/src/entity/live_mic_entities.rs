//! Table `live_mic_entities`: seats on the microphone.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "live_mic_entities")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// The room.
    pub live_id: Option<String>,
    /// The user.
    pub user_id: Option<String>,
    /// Whether the microphone is on.
    pub mic: Option<bool>,
    /// Whether the camera is on.
    pub camera: Option<bool>,
    /// Whether the seat is taken.
    pub status: Option<i32>,
    /// JSON object of texts.
    pub extends: Option<String>,
    /// When the row was made.
    pub created_at: Option<WallTime>,
    /// When the row was last changed.
    pub updated_at: Option<WallTime>,
    /// When the row was deleted; NULL while it counts.
    pub deleted_at: Option<WallTime>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
