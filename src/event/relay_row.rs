//! A PK session as it is stored, inside its events.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use common::text::{Extends, extends_of_column};
use store::db::WallTime;
use store::entity::relay_sessions::Model;

/// A row of `relay_sessions` as the API and the callbacks show it; times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RelayRow {
    /// Row number.
    #[serde(rename = "ID")]
    pub id: u32,
    /// The session's id, a snowflake in decimal.
    pub sid: String,
    /// The anchor who asked.
    pub init_user_id: String,
    /// That anchor's room.
    pub init_room_id: String,
    /// The anchor who was asked.
    pub recv_user_id: String,
    /// That anchor's room.
    pub recv_room_id: String,
    /// Flat map of the apps' own.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub extends: Option<Extends>,
    /// 0 wait, 1 agreed, 2 initiator done, 3 receiver done, 4 both done, 5 rejected, 6 stopped.
    pub status: i32,
    /// When both sides were done.
    pub start_at: Option<i64>,
    /// When it ended.
    pub stop_at: Option<i64>,
    /// When the row was made.
    pub created_at: Option<i64>,
    /// When the row was last changed.
    pub updated_at: Option<i64>,
}

impl RelayRow {
    /// The row `model`, whose wall-clock times `instant` ([`store::db::Db::instant`]) reads.
    pub fn of(model: Model, instant: impl Fn(WallTime) -> DateTime<Utc>) -> Self {
        let seconds = |wall: Option<WallTime>| wall.map(|wall| instant(wall).timestamp());
        Self {
            id: model.id,
            sid: model.sid.unwrap_or_default(),
            init_user_id: model.init_user_id.unwrap_or_default(),
            init_room_id: model.init_room_id.unwrap_or_default(),
            recv_user_id: model.recv_user_id.unwrap_or_default(),
            recv_room_id: model.recv_room_id.unwrap_or_default(),
            extends: extends_of_column(model.extends),
            status: model.status.unwrap_or_default(),
            start_at: seconds(model.start_at),
            stop_at: seconds(model.stop_at),
            created_at: seconds(model.created_at),
            updated_at: seconds(model.updated_at),
        }
    }
}
