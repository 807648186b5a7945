//! Table `gift_correction`: what operators did to gifts by hand.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "gift_correction")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The gift.
    pub biz_id: String,
    /// `paid`, `refused` or `refund`.
    pub kind: String,
    /// The gift's price.
    pub amount: i32,
    /// Who did it.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// When.
    pub created_at: WallTime,
    /// Of a refund the gift, since it may be refunded once; else NULL.
    pub refund_of: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
