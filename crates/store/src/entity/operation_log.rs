//! Table `operation_log`: what operators did.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operation_log")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// The operator.
    pub user_id: String,
    /// Where the call came from; cut when it is longer than the column.
    pub ip: Option<String>,
    /// HTTP method.
    pub method: Option<String>,
    /// Path and query.
    pub url: Option<String>,
    /// Arguments, secrets masked.
    pub args: Option<String>,
    /// HTTP status of the answer.
    pub status_code: i32,
    /// When; the one TIMESTAMP column.
    pub created_at: Option<WallTime>,
    /// The whole of an address that `ip` has not.
    pub full_ip: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
