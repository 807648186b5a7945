//! Table `admin_revocation`: which tokens of administrators are revoked, also of those who were deleted.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "admin_revocation")]
pub struct Model {
    /// The administrator.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// Tokens issued in this Unix second or before are revoked.
    pub revoked_at: i64,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
