//! Table `event_log`: domain events, appended in the transaction that makes the change.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_log")]
pub struct Model {
    /// Row number; no cursor uses it.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The room.
    pub live_id: String,
    /// Place among the room's events: 1, 2, 3 in the order of commits.
    pub seq: i64,
    /// Kind of event.
    pub kind: String,
    /// The event as JSON.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// When it happened, by the clock of the node where it did.
    pub created_at: WallTime,
    /// When it was appended, in milliseconds by the database's clock; NULL where a server of an earlier
    /// version did.
    pub appended_ms: Option<i64>,
    /// The request, or the run of a job, that made it; NULL where a server of an earlier version did.
    pub request_id: Option<String>,
    /// The span that made it, where requests are traced.
    pub traceparent: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
