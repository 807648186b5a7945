//! Table `live_users`: users.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "live_users")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// The business's id of the user.
    pub user_id: Option<String>,
    /// Name shown.
    pub nick: Option<String>,
    /// Picture.
    pub avatar: Option<String>,
    /// JSON object of texts.
    pub extends: Option<Json>,
    /// Id at the IM service.
    pub im_userid: Option<i64>,
    /// Name at the IM service.
    pub im_username: Option<String>,
    /// Password at the IM service.
    pub im_password: Option<String>,
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
