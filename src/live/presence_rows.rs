//! Statements on sets of memberships: what silence and restored presence do to the rows.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement};

use super::members::{IN, OUT};
use crate::store::cache::Member;
use crate::store::db::{Db, StoreError, WallTime};
use crate::store::entity::live_entities;
use crate::store::entity::live_room_user_entities::{Column, Entity};

/// Puts users out for their silence, after their seats were freed: their rows keep the room. How
/// many were in.
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
    let theirs = Column::Id.is_in(row_ids.iter().copied()).and(Column::Status.eq(IN));
    Ok(change.filter(theirs).exec(tx).await?.rows_affected)
}

/// Brings back users of one room whom silence put out though they were heard.
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

/// Members of any room whose row comes after `row_id`, with the last row's id; of them only those
/// not written since `before`.
pub async fn online_after(
    conn: &impl ConnectionTrait,
    row_id: u32,
    before: Option<WallTime>,
    limit: usize,
) -> Result<(Option<u32>, Vec<Member>), StoreError> {
    let mut wanted = Entity::find().filter(Column::Id.gt(row_id)).filter(Column::Status.eq(IN));
    if let Some(before) = before {
        wanted = wanted.filter(Column::HeartBeatAt.lt(before).or(Column::HeartBeatAt.is_null()));
    }
    let rows =
        wanted.order_by_asc(Column::Id).limit(u64::try_from(limit).unwrap_or(u64::MAX)).all(conn).await?;
    let last = (rows.len() == limit).then(|| rows.last().map(|row| row.id)).flatten();
    let members = rows.into_iter().filter_map(|row| Some(Member::new(row.live_id?, row.user_id?)));
    Ok((last, members.filter(|member| !member.live_id.is_empty()).collect()))
}

/// Writes that members, and with them the rooms whose anchors they are, were heard.
pub async fn set_heard<'a>(
    db: &Db,
    tx: &impl ConnectionTrait,
    heard: impl Iterator<Item = &'a Member> + Clone,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let now = db.wall(now);
    let users = || heard.clone().map(|member| member.user_id.as_str());
    let change = Entity::update_many().col_expr(Column::HeartBeatAt, Expr::value(now));
    change.filter(Column::UserId.is_in(users()).and(Column::Status.eq(IN))).exec(tx).await?;
    let rooms: BTreeSet<&str> = heard.clone().map(|member| member.live_id.as_str()).collect();
    let change = live_entities::Entity::update_many()
        .col_expr(live_entities::Column::LastHeartbeatAt, Expr::value(now));
    let anchored =
        live_entities::Column::LiveId.is_in(rooms).and(live_entities::Column::AnchorId.is_in(users()));
    change.filter(anchored).exec(tx).await?;
    Ok(())
}

/// A row that says `in`.
pub struct RowIn {
    /// Primary key of the row.
    pub row_id: u32,
    /// The user and the room.
    pub member: Member,
    /// Whether the user is the room's anchor.
    pub is_anchor: bool,
    /// Whether the user may hold a microphone seat in the room.
    pub may_hold_seat: bool,
}

/// Rows of `wanted` that say `in`, locked.
pub async fn lock_in(
    db: &Db,
    tx: &impl ConnectionTrait,
    wanted: &[Member],
) -> Result<Vec<RowIn>, StoreError> {
    let pairs: HashSet<(&str, &str)> =
        wanted.iter().map(|member| (member.live_id.as_str(), member.user_id.as_str())).collect();
    let places = vec!["?"; wanted.len()].join(", ");
    let sql = format!(
        "SELECT m.id, m.live_id, m.user_id, m.mic_seat, e.anchor_id FROM live_room_user_entities m \
         LEFT JOIN live_entities e ON e.live_id = m.live_id \
         WHERE m.user_id IN ({places}) AND m.status = 1{}",
        db.dialect().update_lock_sql()
    );
    let values = wanted.iter().map(|member| sea_orm::Value::from(member.user_id.as_str()));
    let statement = Statement::from_sql_and_values(db.dialect().backend(), sql, values);
    let mut rows = Vec::with_capacity(wanted.len());
    for row in tx.query_all_raw(statement).await? {
        let live_id: Option<String> = row.try_get("", "live_id")?;
        let user_id: Option<String> = row.try_get("", "user_id")?;
        let anchor_id: Option<String> = row.try_get("", "anchor_id")?;
        let (Some(live_id), Some(user_id)) = (live_id, user_id) else { continue };
        if pairs.contains(&(live_id.as_str(), user_id.as_str())) {
            let mic_seat: Option<bool> = row.try_get("", "mic_seat")?;
            rows.push(RowIn {
                row_id: row.try_get("", "id")?,
                is_anchor: anchor_id.as_deref() == Some(user_id.as_str()),
                may_hold_seat: mic_seat != Some(false),
                member: Member { live_id, user_id },
            });
        }
    }
    Ok(rows)
}
