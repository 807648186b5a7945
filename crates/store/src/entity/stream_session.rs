//! Table `stream_session`: whether a room's stream is being published.

use sea_orm::entity::prelude::*;

use crate::db::WallTime;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stream_session")]
pub struct Model {
    /// The room.
    #[sea_orm(primary_key, auto_increment = false)]
    pub live_id: String,
    /// The media server's id of the publishing connection.
    pub session: String,
    /// Whether it is being published.
    pub up: bool,
    /// Since when.
    pub since: WallTime,
    /// Those who were let in while another publisher was up, the latest first: a JSON list of their ids.
    pub others: Option<String>,
}

/// None: rows are joined by ids, in the features.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
