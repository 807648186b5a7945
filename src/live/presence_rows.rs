//! Statements on sets of memberships: what time-outs, heartbeats and restored presence do to the rows.
//!
//! Rows are locked by their primary keys, in their order, and never together with rooms: a start locks a room
//! and then its anchor's row.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, Value};

use super::members::{IN, OUT};
use store::cache::Member;
use store::db::{Db, LOCKED_AT_ONCE, StoreError, padded, placeholders};
use store::entity::live_entities;
use store::entity::live_room_user_entities::{Column, Entity};

/// A row that says `in`.
#[derive(Clone, Debug)]
pub struct RowIn {
    /// Primary key of the row.
    pub row_id: u32,
    /// The user and the room.
    pub member: Member,
    /// Whether the user may hold a microphone seat in the room.
    pub may_hold_seat: bool,
    /// Primary key of the room when the user is its anchor.
    pub anchored: Option<u32>,
}

/// The rows of `wanted` that say `in`, in the order of their ids, as they are now.
pub async fn find_in(
    db: &Db,
    conn: &impl ConnectionTrait,
    wanted: &[Member],
) -> Result<Vec<RowIn>, StoreError> {
    let pairs: HashSet<(&str, &str)> =
        wanted.iter().map(|member| (member.live_id.as_str(), member.user_id.as_str())).collect();
    let sql = format!(
        "SELECT m.id, m.live_id, m.user_id, m.mic_seat, e.id room, e.anchor_id FROM live_room_user_entities m \
         LEFT JOIN live_entities e ON e.live_id = m.live_id WHERE m.user_id IN ({}) AND m.status = 1",
        placeholders(wanted.len())
    );
    let values = wanted.iter().map(|member| Value::from(member.user_id.as_str()));
    let statement = Statement::from_sql_and_values(db.dialect().backend(), sql, values);
    let mut rows = Vec::with_capacity(wanted.len());
    for row in conn.query_all_raw(statement).await? {
        let live_id: Option<String> = row.try_get("", "live_id")?;
        let user_id: Option<String> = row.try_get("", "user_id")?;
        let (Some(live_id), Some(user_id)) = (live_id, user_id) else { continue };
        if pairs.contains(&(live_id.as_str(), user_id.as_str())) {
            let anchor_id: Option<String> = row.try_get("", "anchor_id")?;
            let room: Option<u32> = row.try_get("", "room")?;
            let mic_seat: Option<bool> = row.try_get("", "mic_seat")?;
            rows.push(RowIn {
                row_id: row.try_get("", "id")?,
                may_hold_seat: mic_seat != Some(false),
                anchored: room.filter(|_| anchor_id.as_deref() == Some(user_id.as_str())),
                member: Member { live_id, user_id },
            });
        }
    }
    rows.sort_unstable_by_key(|row| row.row_id);
    Ok(rows)
}

/// Those of `found` that say `in` the same room still, locked in the order of their ids.
pub async fn lock_in(db: &Db, tx: &impl ConnectionTrait, found: &[RowIn]) -> Result<Vec<RowIn>, StoreError> {
    let known: HashMap<u32, &RowIn> = found.iter().map(|row| (row.row_id, row)).collect();
    let mut locked = Vec::with_capacity(found.len());
    for ids in sorted(found.iter().map(|row| row.row_id)).chunks(LOCKED_AT_ONCE) {
        let ids = padded(ids);
        let sql = format!(
            "SELECT id, live_id, user_id, status, mic_seat FROM live_room_user_entities WHERE id IN ({}) \
             ORDER BY id{}",
            placeholders(ids.len()),
            db.dialect().update_lock_sql()
        );
        let values = ids.iter().map(|id| Value::from(*id));
        let statement = Statement::from_sql_and_values(db.dialect().backend(), sql, values);
        for row in tx.query_all_raw(statement).await? {
            let row_id: u32 = row.try_get("", "id")?;
            let live_id: Option<String> = row.try_get("", "live_id")?;
            let user_id: Option<String> = row.try_get("", "user_id")?;
            let status: Option<i32> = row.try_get("", "status")?;
            let mic_seat: Option<bool> = row.try_get("", "mic_seat")?;
            let Some(row) = known.get(&row_id) else { continue };
            let is_same = live_id.as_deref() == Some(row.member.live_id.as_str())
                && user_id.as_deref() == Some(row.member.user_id.as_str());
            if status == Some(IN) && is_same {
                locked.push(RowIn { may_hold_seat: mic_seat != Some(false), ..(*row).clone() });
            }
        }
    }
    Ok(locked)
}

/// Evicts users of locked rows who timed out, after their seats were freed: their rows keep the room.
pub async fn set_out(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_ids: &[u32],
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::Status, Expr::value(OUT))
        .col_expr(Column::MicSeat, Expr::value(false))
        .col_expr(Column::UpdatedAt, Expr::value(db.wall(now)));
    Ok(change.filter(Column::Id.is_in(row_ids.iter().copied())).exec(tx).await?.rows_affected)
}

/// Brings back users of one room who were evicted though they were heard.
pub async fn return_users(
    db: &Db,
    conn: &impl ConnectionTrait,
    live_id: &str,
    user_ids: &[&str],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::Status, Expr::value(IN))
        .col_expr(Column::HeartBeatAt, Expr::value(db.wall(now)));
    let out = Column::LiveId.eq(live_id).and(Column::UserId.is_in(user_ids.iter().copied()));
    change.filter(out.and(Column::Status.eq(OUT))).exec(conn).await?;
    Ok(())
}

/// Writes that the users of rows were heard.
pub async fn set_heard(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_ids: impl Iterator<Item = u32>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for ids in sorted(row_ids).chunks(LOCKED_AT_ONCE) {
        let change = Entity::update_many().col_expr(Column::HeartBeatAt, Expr::value(db.wall(now)));
        change.filter(Column::Id.is_in(padded(ids).iter().copied())).exec(tx).await?;
    }
    Ok(())
}

/// Writes that the anchors of rooms, given by their rows, were heard.
pub async fn set_anchors_heard(
    db: &Db,
    tx: &impl ConnectionTrait,
    rooms: impl Iterator<Item = u32>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for ids in sorted(rooms).chunks(LOCKED_AT_ONCE) {
        let change = live_entities::Entity::update_many()
            .col_expr(live_entities::Column::LastHeartbeatAt, Expr::value(db.wall(now)));
        change.filter(live_entities::Column::Id.is_in(padded(ids).iter().copied())).exec(tx).await?;
    }
    Ok(())
}

fn sorted(ids: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut ids: Vec<u32> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
