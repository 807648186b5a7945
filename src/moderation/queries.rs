//! Statements on `live_moderator` and `live_chat_setting`.

use std::collections::HashSet;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::actor::Role;
use common::page::Paging;
use store::db::{StoreError, WallTime};
use store::entity::live_chat_setting as setting;
use store::entity::live_moderator::{ActiveModel, Column, Entity, Model};

/// All moderators of a room; there are a hundred at most.
pub async fn moderators(conn: &impl ConnectionTrait, live_id: &str) -> Result<HashSet<String>, StoreError> {
    let ids = Entity::find().filter(Column::LiveId.eq(live_id)).select_only().column(Column::UserId);
    let ids: Vec<String> = ids.into_tuple().all(conn).await?;
    Ok(ids.into_iter().collect())
}

/// A page of the moderators of a room, the first one first, and how many there are.
pub async fn page_of_moderators(
    conn: &impl ConnectionTrait,
    live_id: &str,
    paging: Paging,
) -> Result<(u64, Vec<Model>), StoreError> {
    let wanted = Entity::find().filter(Column::LiveId.eq(live_id));
    let total = wanted.clone().count(conn).await?;
    let rows = wanted.order_by_asc(Column::Id).offset(paging.offset()).limit(paging.size);
    Ok((total, rows.all(conn).await?))
}

/// Makes a user a moderator.
pub async fn insert_moderator(
    tx: &impl ConnectionTrait,
    live_id: &str,
    user_id: &str,
    by: (&str, Role),
    now: WallTime,
) -> Result<(), StoreError> {
    let row = ActiveModel {
        live_id: Set(live_id.to_owned()),
        user_id: Set(user_id.to_owned()),
        by_user: Set(by.0.to_owned()),
        by_role: Set(by.1.name().to_owned()),
        created_at: Set(now),
        ..ActiveModel::default()
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// A user is no moderator any more; whether they were.
pub async fn delete_moderator(
    tx: &impl ConnectionTrait,
    live_id: &str,
    user_id: &str,
) -> Result<bool, StoreError> {
    let theirs = Column::LiveId.eq(live_id).and(Column::UserId.eq(user_id));
    Ok(Entity::delete_many().filter(theirs).exec(tx).await?.rows_affected > 0)
}

/// How people may chat in a room, unless nobody has said so yet.
pub async fn settings(
    conn: &impl ConnectionTrait,
    live_id: &str,
) -> Result<Option<setting::Model>, StoreError> {
    Ok(setting::Entity::find_by_id(live_id).one(conn).await?)
}

/// Stores how people may chat in a room.
pub async fn save_settings(tx: &impl ConnectionTrait, row: setting::Model) -> Result<(), StoreError> {
    let columns = [setting::Column::SlowModeS, setting::Column::IsMuted, setting::Column::UpdatedAt];
    let conflict = OnConflict::column(setting::Column::LiveId).update_columns(columns).to_owned();
    let row = setting::ActiveModel {
        live_id: Set(row.live_id),
        slow_mode_s: Set(row.slow_mode_s),
        is_muted: Set(row.is_muted),
        updated_at: Set(row.updated_at),
    };
    setting::Entity::insert(row).on_conflict(conflict).exec_without_returning(tx).await?;
    Ok(())
}
