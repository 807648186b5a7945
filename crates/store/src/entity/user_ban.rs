//! Table `user_ban`: who is or was banned from the platform, and which of their tokens are revoked.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_ban")]
pub struct Model {
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// Until when, in Unix milliseconds; 0 is forever, NULL a ban that was lifted.
    pub until_ms: Option<i64>,
    /// Tokens issued in this Unix second or before are revoked.
    pub revoked_at: i64,
    /// Why; may be empty.
    pub reason: String,
    /// The administrator who imposed it; empty for a backend.
    pub by_user: String,
    /// When.
    pub created_at: WallTime,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
