//! Table `live_gift`: gifts sent.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

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
    /// State of the payment: 0 waiting, 1 paid, 2 refused.
    pub status: i32,
    /// When the row was made.
    pub created_at: Option<WallTime>,
    /// When the row was last changed.
    pub updated_at: Option<WallTime>,
    /// What makes a repeated send of a user the same gift, as a digest (`gift::ClientKey`).
    pub client_key: Option<String>,
    /// How often the payment service was asked; names the last one who asked.
    pub asks: i32,
    /// When it is to be asked again, by the database's clock in ms; NULL: not by itself.
    pub next_ask_ms: Option<i64>,
    /// Until when the last one who asked may write the answer, by the database's clock in ms.
    pub lease_until_ms: Option<i64>,
    /// The code of a refusal.
    pub pay_code: Option<i64>,
    /// The text of a refusal.
    pub pay_message: Option<String>,
    /// Why an operator should look at the gift.
    pub flag: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
