//! Statements on `live_sanction`: mutes and bans of rooms.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{ExprTrait, OnConflict, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use common::page::Paging;
use store::db::StoreError;
use store::entity::live_sanction::{ActiveModel, Column, Entity, Model};

fn is_on(now_ms: i64) -> SimpleExpr {
    Column::UntilMs.eq(0).or(Column::UntilMs.gt(now_ms))
}

fn of(live_id: &str, kind: i32, user_id: &str) -> SimpleExpr {
    Column::LiveId.eq(live_id).and(Column::Kind.eq(kind)).and(Column::UserId.eq(user_id))
}

/// Whether there is one that holds now.
pub async fn is_there(
    tx: &impl ConnectionTrait,
    live_id: &str,
    kind: i32,
    user_id: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    Ok(Entity::find().filter(of(live_id, kind, user_id)).filter(is_on(now_ms)).one(tx).await?.is_some())
}

/// How many there are in a room, after those that are over were deleted.
pub async fn purge_and_count(
    tx: &impl ConnectionTrait,
    live_id: &str,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let is_over = Column::UntilMs.ne(0).and(Column::UntilMs.lte(now_ms));
    Entity::delete_many().filter(Column::LiveId.eq(live_id)).filter(is_over).exec(tx).await?;
    Ok(Entity::find().filter(Column::LiveId.eq(live_id)).count(tx).await?)
}

/// Stores one, instead of the one of that kind that the user has.
pub async fn save(tx: &impl ConnectionTrait, row: Model) -> Result<(), StoreError> {
    let columns = [Column::UntilMs, Column::Reason, Column::ByUser, Column::ByRole, Column::CreatedAt];
    let key = [Column::LiveId, Column::Kind, Column::UserId];
    let conflict = OnConflict::columns(key).update_columns(columns).to_owned();
    let row = ActiveModel {
        live_id: Set(row.live_id),
        kind: Set(row.kind),
        user_id: Set(row.user_id),
        until_ms: Set(row.until_ms),
        reason: Set(row.reason),
        by_user: Set(row.by_user),
        by_role: Set(row.by_role),
        created_at: Set(row.created_at),
        ..ActiveModel::default()
    };
    Entity::insert(row).on_conflict(conflict).exec_without_returning(tx).await?;
    Ok(())
}

/// Deletes one; whether it was there and held.
pub async fn delete(
    tx: &impl ConnectionTrait,
    live_id: &str,
    kind: i32,
    user_id: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let was_on = is_there(tx, live_id, kind, user_id, now_ms).await?;
    Entity::delete_many().filter(of(live_id, kind, user_id)).exec(tx).await?;
    Ok(was_on)
}

/// A page of those of a kind that hold in a room, the latest first, and how many there are.
pub async fn page(
    conn: &impl ConnectionTrait,
    live_id: &str,
    kind: i32,
    now_ms: i64,
    paging: Paging,
) -> Result<(u64, Vec<Model>), StoreError> {
    let wanted = Entity::find().filter(Column::LiveId.eq(live_id)).filter(Column::Kind.eq(kind));
    let wanted = wanted.filter(is_on(now_ms));
    let total = wanted.clone().count(conn).await?;
    let ordered = wanted.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
    let rows = ordered.offset(paging.offset()).limit(paging.size);
    Ok((total, rows.all(conn).await?))
}
