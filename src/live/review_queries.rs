//! Statements of the content review on `live_entities`.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::queries::room;
use super::review::{Reviewed, ReviewedRoom, STOPPED_BY_CENSOR};
use super::room::LiveStatus;
use common::page::Paging;
use store::db::{Db, StoreError, WallTime};
use store::entity::live_entities::{Column, Entity};

/// Who ended the live, and why.
pub async fn set_stopped(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_id: u32,
    admin_id: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::StopReason, Expr::value(STOPPED_BY_CENSOR))
        .col_expr(Column::StopUserId, Expr::value(admin_id))
        .col_expr(Column::StopAt, Expr::value(db.wall(now)));
    change.filter(Column::Id.eq(row_id)).exec(tx).await?;
    Ok(())
}

/// Locks a room, deleted ones too, and answers its state; the inner `None` is a deleted room.
pub async fn lock(
    tx: &impl ConnectionTrait,
    live_id: &str,
) -> Result<Option<Option<LiveStatus>>, StoreError> {
    let row: Option<(Option<String>, Option<i32>, Option<WallTime>)> = Entity::find()
        .filter(Column::LiveId.eq(live_id))
        .select_only()
        .columns([Column::LiveId, Column::Status, Column::DeletedAt])
        .lock_exclusive()
        .into_tuple()
        .one(tx)
        .await?;
    let row = row.filter(|(stored, ..)| stored.as_deref() == Some(live_id));
    Ok(row.map(|(_, status, deleted)| deleted.is_none().then(|| LiveStatus::of_column(status))))
}

/// Writes the columns that tell of pictures.
pub async fn set_review_count(
    tx: &impl ConnectionTrait,
    live_id: &str,
    waiting: i32,
    taken_at: Option<i32>,
) -> Result<(), StoreError> {
    let mut change = Entity::update_many().col_expr(Column::UnreviewCensorCount, Expr::value(waiting));
    if let Some(taken_at) = taken_at {
        // Results may arrive out of order; the newest picture stays the newest.
        let newest = Expr::cust_with_values(
            "CASE WHEN COALESCE(last_censor_time, 0) < ? THEN ? ELSE last_censor_time END",
            [taken_at, taken_at],
        );
        change = change.col_expr(Column::LastCensorTime, newest);
    }
    change.filter(Column::LiveId.eq(live_id)).exec(tx).await?;
    Ok(())
}

/// One page of reviewed rooms, and how many rows all pages have.
pub async fn page(
    db: &Db,
    conn: &impl ConnectionTrait,
    wanted: Reviewed,
    paging: Paging,
) -> Result<(u64, Vec<ReviewedRoom>), StoreError> {
    let rows = Entity::find().filter(condition(wanted));
    let total = rows.clone().count(conn).await?;
    if paging.offset() >= total {
        return Ok((total, Vec::new()));
    }
    let rows = rows
        .order_by_desc(Column::LastCensorTime)
        .order_by_desc(Column::Id)
        .offset(paging.offset())
        .limit(paging.size)
        .all(conn)
        .await?;
    let rooms = rows.into_iter().map(|row| ReviewedRoom {
        waiting: row.unreview_censor_count.unwrap_or_default(),
        last_picture: row.last_censor_time.unwrap_or_default(),
        nick: String::new(),
        anchor_in: false,
        room: room(db, row),
    });
    Ok((total, rooms.collect()))
}

fn condition(wanted: Reviewed) -> Condition {
    let present = Condition::all().add(Column::DeletedAt.is_null());
    match wanted {
        Reviewed::Any => present.add(Column::LastCensorTime.gt(0)),
        Reviewed::Waiting => {
            let other = Column::StopReason.is_null().or(Column::StopReason.ne(STOPPED_BY_CENSOR));
            present.add(Column::UnreviewCensorCount.gt(0)).add(other)
        }
    }
}

/// Those of `live_ids` whose room is neither ended nor deleted.
pub async fn open_among(
    conn: &impl ConnectionTrait,
    live_ids: &[String],
) -> Result<HashSet<String>, StoreError> {
    let rows: Vec<(Option<String>, Option<i32>)> = Entity::find()
        .filter(Column::LiveId.is_in(live_ids.iter().map(String::as_str)))
        .filter(Column::DeletedAt.is_null())
        .select_only()
        .columns([Column::LiveId, Column::Status])
        .into_tuple()
        .all(conn)
        .await?;
    let open = rows.into_iter().filter(|(_, status)| LiveStatus::of_column(*status) != LiveStatus::Ended);
    Ok(open.filter_map(|(live_id, _)| live_id).collect())
}
