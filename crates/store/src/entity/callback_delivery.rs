//! Table `callback_delivery`: callbacks that left their room's partition and are delivered on their own.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "callback_delivery")]
pub struct Model {
    /// Row number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The id under which the receiver gets it, always.
    pub webhook_id: String,
    /// The room.
    pub live_id: String,
    /// The event's place among the room's.
    pub seq: i64,
    /// `type` of the callback.
    pub kind: String,
    /// The JSON that is posted.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// 0 pending, 1 failed for good, 2 delivered.
    pub state: i32,
    /// How often it was tried, those in the partition included.
    pub attempts: i32,
    /// When it is tried next, in milliseconds by the database's clock; NULL: not by itself.
    pub due: Option<i64>,
    /// Who delivers it, until `due`.
    pub owner: Option<String>,
    /// Why the last attempt failed.
    pub last_error: String,
    /// When the event happened.
    pub event_at: WallTime,
    /// When it left the partition.
    pub created_at: WallTime,
    /// When it was last changed.
    pub updated_at: WallTime,
    /// The request that made the event; NULL where a server of an earlier version stored it.
    pub request_id: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
