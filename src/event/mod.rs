//! STUB
use crate::store::db::{Db, StoreError, WallTime};
use crate::store::entity::live_entities::Model;
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde::Serialize;
#[derive(Clone, Debug, Serialize)]
pub struct LiveRow {
    id: u32,
}
impl LiveRow {
    pub fn of(row: &Model, _t: impl Fn(WallTime) -> DateTime<Utc>) -> Self {
        Self { id: row.id }
    }
}
#[derive(Clone, Copy, Debug, Serialize)]
pub enum StopReason {
    Anchor,
    Server,
    Timeout,
    Deleted,
}
#[derive(Clone, Debug, Serialize)]
pub enum DomainEvent {
    LiveCreated { room: Box<LiveRow> },
    LiveStarted,
    LiveStopped { reason: StopReason },
    LiveDeleted,
    AnchorLeft,
    StreamUp,
    StreamDown,
}
pub async fn append(
    _tx: &impl ConnectionTrait,
    _db: &Db,
    _live: &str,
    _e: &DomainEvent,
    _now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    Ok(1)
}
pub async fn append_all(
    _tx: &impl ConnectionTrait,
    _db: &Db,
    _e: &[(String, DomainEvent)],
    _now: DateTime<Utc>,
) -> Result<(), StoreError> {
    Ok(())
}
