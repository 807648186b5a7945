//! Table `admin_user`: operators.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "admin_user")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// Name shown.
    pub user_name: Option<String>,
    /// Login name.
    pub user_id: Option<String>,
    /// Hash of the password; plain text in old rows.
    pub password: Option<String>,
    /// Remark.
    pub description: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
