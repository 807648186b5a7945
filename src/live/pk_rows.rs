//! Statements on the column of `live_entities` that names a room's PK.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select};

use store::db::{Db, StoreError};
use store::entity::live_entities::{Column, Entity};

/// Binds rooms to a PK, or with an empty id to none.
pub async fn set_pk(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_ids: &[u32],
    pk_id: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::PkId, Expr::value(pk_id))
        .col_expr(Column::UpdatedAt, Expr::value(db.wall(now)));
    change.filter(Column::Id.is_in(row_ids.iter().copied())).exec(tx).await?;
    Ok(())
}

/// Locks a room, be it deleted, and answers its row and the PK that it is bound to.
pub async fn lock_pk(tx: &impl ConnectionTrait, live_id: &str) -> Result<Option<(u32, String)>, StoreError> {
    bound(Entity::find().lock_exclusive(), tx, live_id).await
}

/// The PK that a room is bound to, be it deleted.
pub async fn pk_of(conn: &impl ConnectionTrait, live_id: &str) -> Result<Option<String>, StoreError> {
    Ok(bound(Entity::find(), conn, live_id).await?.map(|(_, pk_id)| pk_id))
}

async fn bound(
    rooms: Select<Entity>,
    conn: &impl ConnectionTrait,
    live_id: &str,
) -> Result<Option<(u32, String)>, StoreError> {
    let columns = rooms.filter(Column::LiveId.eq(live_id)).select_only();
    let columns = columns.columns([Column::Id, Column::LiveId, Column::PkId]);
    let rows: Vec<(u32, Option<String>, Option<String>)> = columns.into_tuple().all(conn).await?;
    let mut exact = rows.into_iter().filter(|(_, id, _)| id.as_deref() == Some(live_id));
    Ok(exact.next().map(|(row_id, _, pk_id)| (row_id, pk_id.unwrap_or_default())))
}
