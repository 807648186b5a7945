//! Table `live_sanction`: who is muted in a room, or banned from it.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// The user may not write.
pub const MUTE: i32 = 1;
/// The user may not enter.
pub const BAN: i32 = 2;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "live_sanction")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The room.
    pub live_id: String,
    /// [`MUTE`] or [`BAN`].
    pub kind: i32,
    /// Whom it hits.
    pub user_id: String,
    /// Until when, in Unix milliseconds; 0 is forever.
    pub until_ms: i64,
    /// Why; may be empty.
    pub reason: String,
    /// Who imposed it; empty for a backend.
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
