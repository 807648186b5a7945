//! Statements on `item_demonstrate`, which says what a room demonstrates now, and on
//! `item_demonstrate_log`, which holds the recordings.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};

use super::view::{Record, RecordStatus};
use crate::media::Saved;
use store::db::{Db, StoreError, WallTime};
use store::entity::item_demonstrate as now_shown;
use store::entity::item_demonstrate_log::{ActiveModel, Column, Entity};

/// What is read of a recording.
#[derive(FromQueryResult)]
pub struct RecordRow {
    /// Primary key.
    pub id: u32,
    /// The room.
    pub live_id: Option<String>,
    /// The item.
    pub item_id: Option<String>,
    /// Its beginning.
    pub start: Option<WallTime>,
    /// Its end.
    pub end: Option<WallTime>,
    /// Its file.
    pub fname: Option<String>,
    /// Where it is in its life.
    pub status: Option<i32>,
}

/// The row as code works with it.
pub fn record(db: &Db, row: RecordRow) -> Record {
    Record {
        id: row.id,
        live_id: row.live_id.unwrap_or_default(),
        item_id: row.item_id.unwrap_or_default(),
        start: row.start.map(|at| db.instant(at)),
        end: row.end.map(|at| db.instant(at)),
        fname: row.fname.unwrap_or_default(),
        status: RecordStatus::of_column(row.status),
    }
}

/// The item that a room demonstrates, with the room's row locked; empty for none, `None` for a room
/// that never did.
pub async fn demonstrated_for_update(
    tx: &impl ConnectionTrait,
    live_id: &str,
) -> Result<Option<String>, StoreError> {
    let wanted = now_shown::Entity::find().filter(now_shown::Column::LiveId.eq(live_id)).lock_exclusive();
    let items: Option<Option<String>> =
        wanted.select_only().column(now_shown::Column::ItemId).into_tuple().one(tx).await?;
    Ok(items.map(Option::unwrap_or_default))
}

/// A room that did so before demonstrates this item from now on; an empty one for none.
pub async fn demonstrate(
    db: &Db,
    tx: &impl ConnectionTrait,
    live_id: &str,
    item_id: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let change = now_shown::Entity::update_many()
        .col_expr(now_shown::Column::ItemId, Expr::value(item_id))
        .col_expr(now_shown::Column::UpdatedAt, Expr::value(db.wall(now)));
    change.filter(now_shown::Column::LiveId.eq(live_id)).exec(tx).await?;
    Ok(())
}

/// A room demonstrates an item for the first time.
pub async fn demonstrate_first(
    db: &Db,
    tx: &impl ConnectionTrait,
    live_id: &str,
    item_id: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = now_shown::ActiveModel {
        live_id: Set(Some(live_id.to_owned())),
        item_id: Set(Some(item_id.to_owned())),
        updated_at: Set(Some(db.wall(now))),
        ..now_shown::ActiveModel::default()
    };
    now_shown::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// A recording begins; its id.
pub async fn begin(
    db: &Db,
    tx: &impl ConnectionTrait,
    live_id: &str,
    item_id: &str,
    now: DateTime<Utc>,
) -> Result<u32, StoreError> {
    let row = ActiveModel {
        live_id: Set(Some(live_id.to_owned())),
        item_id: Set(Some(item_id.to_owned())),
        start: Set(Some(db.wall(now))),
        status: Set(Some(RecordStatus::Recording.column())),
        ..ActiveModel::default()
    };
    Ok(Entity::insert(row).exec(tx).await?.last_insert_id)
}

/// The recordings of a room that go on: one, unless an adopted database holds forgotten ones.
pub async fn running(tx: &impl ConnectionTrait, live_id: &str) -> Result<Vec<u32>, StoreError> {
    let wanted = Entity::find().filter(in_state(live_id, RecordStatus::Recording));
    Ok(wanted.select_only().column(Column::Id).into_tuple().all(tx).await?)
}

/// Recordings end, and wait to be saved.
pub async fn end(
    db: &Db,
    tx: &impl ConnectionTrait,
    ids: &[u32],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::End, Expr::value(db.wall(now)))
        .col_expr(Column::Status, Expr::value(RecordStatus::Waiting.column()));
    change.filter(Column::Id.is_in(ids.iter().copied())).exec(tx).await?;
    Ok(())
}

/// How many recordings that a crash left behind are saved at once.
const MOST_LEFT_BEHIND: u64 = 10;

/// Recordings of a room: those of `ids`, and those that wait to be saved; the newest first.
pub async fn ended(
    db: &Db,
    conn: &impl ConnectionTrait,
    live_id: &str,
    ids: &[u32],
) -> Result<Vec<Record>, StoreError> {
    let either = Condition::any()
        .add(Column::Id.is_in(ids.iter().copied()))
        .add(in_state(live_id, RecordStatus::Waiting));
    let wanted = Entity::find().filter(either).order_by_desc(Column::Id).limit(MOST_LEFT_BEHIND);
    Ok(records(db, wanted.into_model().all(conn).await?))
}

/// A recording is saved.
pub async fn set_saved(conn: &impl ConnectionTrait, id: u32, saved: &Saved) -> Result<(), StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::Status, Expr::value(RecordStatus::Done.column()))
        .col_expr(Column::Fname, Expr::value(saved.fname.as_str()))
        .col_expr(Column::PersistentId, Expr::value(saved.persistent_id.as_deref()));
    change.filter(Column::Id.eq(id)).exec(conn).await?;
    Ok(())
}

/// A recording could not be saved, unless another call could.
pub async fn set_failed(conn: &impl ConnectionTrait, id: u32) -> Result<(), StoreError> {
    let change = Entity::update_many().col_expr(Column::Status, Expr::value(RecordStatus::Failed.column()));
    let waiting = Column::Id.eq(id).and(Column::Status.eq(RecordStatus::Waiting.column()));
    change.filter(waiting).exec(conn).await?;
    Ok(())
}

/// One recording.
pub async fn find(db: &Db, conn: &impl ConnectionTrait, id: u32) -> Result<Option<Record>, StoreError> {
    let row = Entity::find_by_id(id).into_model().one(conn).await?;
    Ok(row.map(|row| record(db, row)))
}

/// All recordings of a room, in the order in which they were made.
pub async fn list(db: &Db, conn: &impl ConnectionTrait, live_id: &str) -> Result<Vec<Record>, StoreError> {
    let wanted = Entity::find().filter(Column::LiveId.eq(live_id)).order_by_asc(Column::Id);
    Ok(records(db, wanted.into_model().all(conn).await?))
}

/// How many recordings are looked through for one of exactly this item.
const MOST_ALIKE: u64 = 20;

/// The newest recording of an item that can be played.
pub async fn newest_done(
    db: &Db,
    conn: &impl ConnectionTrait,
    live_id: &str,
    item_id: &str,
) -> Result<Option<Record>, StoreError> {
    let wanted = Entity::find()
        .filter(in_state(live_id, RecordStatus::Done))
        .filter(Expr::cust(db.dialect().bytewise("`item_id`")).eq(item_id))
        .order_by_desc(Column::Id)
        .limit(MOST_ALIKE);
    // Spaces at the end do not count in MySQL's comparison; they do here.
    let found = records(db, wanted.into_model().all(conn).await?);
    Ok(found.into_iter().find(|record| record.item_id == item_id))
}

/// Those of `ids` that a room has and that do not go on.
pub async fn deletable(
    conn: &impl ConnectionTrait,
    live_id: &str,
    ids: &[u32],
) -> Result<Vec<u32>, StoreError> {
    let wanted = Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .filter(Column::LiveId.eq(live_id))
        .filter(Column::Status.ne(RecordStatus::Recording.column()).or(Column::Status.is_null()));
    Ok(wanted.select_only().column(Column::Id).into_tuple().all(conn).await?)
}

/// Recordings are gone.
pub async fn delete(tx: &impl ConnectionTrait, ids: &[u32]) -> Result<(), StoreError> {
    Entity::delete_many().filter(Column::Id.is_in(ids.iter().copied())).exec(tx).await?;
    Ok(())
}

fn in_state(live_id: &str, status: RecordStatus) -> Condition {
    Condition::all().add(Column::LiveId.eq(live_id)).add(Column::Status.eq(status.column()))
}

fn records(db: &Db, rows: Vec<RecordRow>) -> Vec<Record> {
    rows.into_iter().map(|row| record(db, row)).collect()
}
