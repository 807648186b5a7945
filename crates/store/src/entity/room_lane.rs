//! Table `room_lane`: the order of each room's events, and how far each consumer has come.
//!
//! The columns of a consumer are written by `src/event/partitions.rs`, and set due by `src/event/append.rs`.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "room_lane")]
pub struct Model {
    /// The room.
    #[sea_orm(primary_key, auto_increment = false)]
    pub live_id: String,
    /// The last event's place.
    pub seq: i64,
    /// Up to this place callbacks are settled; NULL where none was ever due.
    pub callback_done: Option<i64>,
    /// When callbacks are looked at next, in milliseconds by the database's clock; NULL: nothing to do.
    pub callback_due: Option<i64>,
    /// Who delivers, until `callback_due`.
    pub callback_owner: Option<String>,
    /// How often the event after `callback_done` failed.
    pub callback_attempts: i32,
    /// As `callback_done`, of reactions.
    pub reaction_done: Option<i64>,
    /// As `callback_due`, of reactions.
    pub reaction_due: Option<i64>,
    /// As `callback_owner`, of reactions.
    pub reaction_owner: Option<String>,
    /// As `callback_attempts`, of reactions.
    pub reaction_attempts: i32,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
