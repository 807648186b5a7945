//! Statements on `live_entities`.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::room::{LiveStatus, Room};
use crate::event::LiveRow;
use common::text::{Extends, extends_column, extends_of_column};
use store::db::{Db, LOCKED_AT_ONCE, StoreError, WallTime, padded};
use store::entity::live_entities::{ActiveModel, Column, Entity, Model};

/// The room `live_id`, unless it is deleted.
pub async fn find(db: &Db, conn: &impl ConnectionTrait, live_id: &str) -> Result<Option<Room>, StoreError> {
    let row = by_id(live_id).one(conn).await?;
    Ok(row.map(|row| room(db, row)).filter(|room| room.live_id == live_id))
}

/// The room `live_id`, also when it is deleted.
pub async fn find_even_deleted(
    db: &Db,
    conn: &impl ConnectionTrait,
    live_id: &str,
) -> Result<Option<Room>, StoreError> {
    let row = Entity::find().filter(Column::LiveId.eq(live_id)).one(conn).await?;
    Ok(row.map(|row| room(db, row)).filter(|room| room.live_id == live_id))
}

/// The room `live_id`, locked until the transaction ends.
pub async fn find_for_update(
    db: &Db,
    tx: &impl ConnectionTrait,
    live_id: &str,
) -> Result<Option<Room>, StoreError> {
    let row = by_id(live_id).lock_exclusive().one(tx).await?;
    Ok(row.map(|row| room(db, row)).filter(|room| room.live_id == live_id))
}

/// Stores a new room and answers its row.
pub async fn insert(
    db: &Db,
    tx: &impl ConnectionTrait,
    new: &Room,
    now: DateTime<Utc>,
) -> Result<LiveRow, StoreError> {
    let wall = |at| db.wall(at);
    let mut row = Model {
        id: 0,
        live_id: Some(new.live_id.clone()),
        title: Some(new.title.clone()),
        notice: Some(new.notice.clone()),
        cover_url: Some(new.cover_url.clone()),
        extends: new.extends.as_ref().map(extends_column),
        anchor_id: Some(new.anchor_id.clone()),
        status: Some(new.status.column()),
        pk_id: Some(String::new()),
        online_count: Some(0),
        start_at: new.start_at.map(wall),
        end_at: new.end_at.map(wall),
        chat_id: Some(new.chat_id),
        push_url: Some(new.push_url.clone()),
        rtmp_play_url: Some(new.rtmp_url.clone()),
        flv_play_url: Some(new.flv_url.clone()),
        hls_play_url: Some(new.hls_url.clone()),
        last_heartbeat_at: None,
        created_at: Some(wall(now)),
        updated_at: Some(wall(now)),
        deleted_at: None,
        stop_reason: Some(String::new()),
        stop_user_id: Some(String::new()),
        stop_at: None,
        unreview_censor_count: Some(0),
        last_censor_time: Some(0),
    };
    let stored = ActiveModel { id: NotSet, ..ActiveModel::from(row.clone()).reset_all() };
    row.id = Entity::insert(stored).exec(tx).await?.last_insert_id;
    Ok(LiveRow::of(&row, |at| db.instant(at)))
}

/// The room goes live.
pub async fn set_live(
    db: &Db,
    tx: &impl ConnectionTrait,
    room: &Room,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let now = db.wall(now);
    let change = Entity::update_many()
        .col_expr(Column::Status, Expr::value(LiveStatus::Live.column()))
        .col_expr(Column::StartAt, Expr::value(now))
        .col_expr(Column::LastHeartbeatAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now));
    change.filter(Column::Id.eq(room.row_id)).exec(tx).await?;
    Ok(())
}

/// The lives of `row_ids` are over; answers how many were still on.
pub async fn set_ended(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_ids: &[u32],
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let now = db.wall(now);
    let change = Entity::update_many()
        .col_expr(Column::Status, Expr::value(LiveStatus::Ended.column()))
        .col_expr(Column::EndAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now));
    let live = Column::Id.is_in(row_ids.iter().copied()).and(Column::Status.eq(LiveStatus::Live.column()));
    Ok(change.filter(live).exec(tx).await?.rows_affected)
}

/// The room is gone, for everybody.
pub async fn set_deleted(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_id: u32,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let change = Entity::update_many().col_expr(Column::DeletedAt, Expr::value(db.wall(now)));
    change.filter(Column::Id.eq(row_id)).exec(tx).await?;
    Ok(())
}

/// Replaces the map of a room.
pub async fn set_extends(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_id: u32,
    extends: &Extends,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::Extends, Expr::value(extends_column(extends)))
        .col_expr(Column::UpdatedAt, Expr::value(db.wall(now)));
    change.filter(Column::Id.eq(row_id)).exec(tx).await?;
    Ok(())
}

fn by_id(live_id: &str) -> sea_orm::Select<Entity> {
    Entity::find().filter(Column::LiveId.eq(live_id)).filter(Column::DeletedAt.is_null())
}

/// The row as code works with it: no NULL but in `extends` and in times.
pub fn room(db: &Db, row: Model) -> Room {
    let text = Option::<String>::unwrap_or_default;
    let instant = |at: Option<_>| at.map(|at| db.instant(at));
    Room {
        row_id: row.id,
        live_id: text(row.live_id),
        title: text(row.title),
        notice: text(row.notice),
        cover_url: text(row.cover_url),
        extends: extends_of_column(row.extends),
        anchor_id: text(row.anchor_id),
        status: LiveStatus::of_column(row.status),
        pk_id: text(row.pk_id),
        start_at: instant(row.start_at),
        end_at: instant(row.end_at),
        chat_id: row.chat_id.unwrap_or_default(),
        push_url: text(row.push_url),
        rtmp_url: text(row.rtmp_play_url),
        flv_url: text(row.flv_play_url),
        hls_url: text(row.hls_play_url),
        stop_reason: text(row.stop_reason),
        stop_user_id: text(row.stop_user_id),
        stop_at: instant(row.stop_at),
    }
}

/// Row ids of those of `live_ids` that are live, ascending.
pub async fn live_of(conn: &impl ConnectionTrait, live_ids: &[String]) -> Result<Vec<u32>, StoreError> {
    let wanted = Entity::find()
        .filter(Column::LiveId.is_in(live_ids.iter().map(String::as_str)))
        .filter(Column::Status.eq(LiveStatus::Live.column()))
        .filter(Column::DeletedAt.is_null());
    let mut row_ids: Vec<u32> = wanted.select_only().column(Column::Id).into_tuple().all(conn).await?;
    row_ids.sort_unstable();
    Ok(row_ids)
}

/// Row and room ids of those of the rows that are live still, locked in the order of their ids, which must
/// ascend.
pub async fn lock_live(tx: &impl ConnectionTrait, row_ids: &[u32]) -> Result<Vec<(u32, String)>, StoreError> {
    let mut rooms = Vec::with_capacity(row_ids.len());
    for row_ids in row_ids.chunks(LOCKED_AT_ONCE) {
        let wanted = Entity::find().filter(Column::Id.is_in(padded(row_ids).iter().copied()));
        let rows = wanted.order_by_asc(Column::Id).lock_exclusive().all(tx).await?;
        let live = rows
            .into_iter()
            .filter(|row| row.status == Some(LiveStatus::Live.column()) && row.deleted_at.is_none());
        rooms.extend(live.filter_map(|row| Some((row.id, row.live_id?))));
    }
    Ok(rooms)
}

/// The live rooms whose row comes after `row_id`, with the last row's id when there may be more.
pub async fn live_after(
    conn: &impl ConnectionTrait,
    row_id: u32,
    limit: usize,
) -> Result<(Option<u32>, Vec<String>), StoreError> {
    let live = Column::Status.eq(LiveStatus::Live.column()).and(Column::DeletedAt.is_null());
    ids_after(conn, row_id, live, limit).await
}

/// The rooms that have ended since `since`; else as [`live_after`], deleted ones included.
pub async fn ended_after(
    conn: &impl ConnectionTrait,
    row_id: u32,
    since: WallTime,
    limit: usize,
) -> Result<(Option<u32>, Vec<String>), StoreError> {
    let ended = Column::Status.eq(LiveStatus::Ended.column()).and(Column::UpdatedAt.gte(since));
    ids_after(conn, row_id, ended, limit).await
}

async fn ids_after(
    conn: &impl ConnectionTrait,
    row_id: u32,
    wanted: SimpleExpr,
    limit: usize,
) -> Result<(Option<u32>, Vec<String>), StoreError> {
    let rows: Vec<(u32, Option<String>)> = Entity::find()
        .filter(Column::Id.gt(row_id))
        .filter(wanted)
        .select_only()
        .columns([Column::Id, Column::LiveId])
        .order_by_asc(Column::Id)
        .limit(u64::try_from(limit).unwrap_or(u64::MAX))
        .into_tuple()
        .all(conn)
        .await?;
    let last = (rows.len() == limit).then(|| rows.last().map(|(row_id, _)| *row_id)).flatten();
    Ok((last, rows.into_iter().filter_map(|(_, live_id)| live_id).collect()))
}

/// Which of `live_ids` are rooms that are not deleted.
pub async fn existing(conn: &impl ConnectionTrait, live_ids: &[&str]) -> Result<Vec<String>, StoreError> {
    let wanted = Entity::find()
        .filter(Column::LiveId.is_in(live_ids.iter().copied()))
        .filter(Column::DeletedAt.is_null());
    let found: Vec<Option<String>> =
        wanted.select_only().column(Column::LiveId).into_tuple().all(conn).await?;
    // A collation may bring others.
    Ok(found.into_iter().flatten().filter(|id| live_ids.contains(&id.as_str())).collect())
}
