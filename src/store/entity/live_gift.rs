//! Table `live_gift`: gifts sent.

use sea_orm::entity::prelude::*;

use crate::store::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "live_gift")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: u32,
    /// Id of the payment, a snowflake in decimal.
    pub biz_id: String,
    /// The room.
    pub live_id: String,
    /// Who gave.
    pub user_id: String,
    /// Who received.
    pub anchor_id: String,
    /// Which gift.
    pub gift_id: i32,
    /// Price.
    pub amount: i32,
    /// State of the payment.
    pub status: i32,
    /// When the row was made.
    pub created_at: Option<WallTime>,
    /// When the row was last changed.
    pub updated_at: Option<WallTime>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
