//! Statements on rooms for those who run the installation.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::members;
use super::page_queries::begins_with;
use super::queries::room;
use super::room::{LiveStatus, Room};
use common::page::Paging;
use store::db::{Db, StoreError, bounded_page};
use store::entity::{live_entities, live_room_user_entities};

/// One page of rooms of a status, or of all, the newest first, and how many rows all pages have.
pub async fn page(
    db: &Db,
    status: Option<LiveStatus>,
    keyword: Option<&str>,
    paging: Paging,
) -> Result<(u64, Vec<Room>), StoreError> {
    use live_entities::{Column, Entity};
    let mut wanted = Entity::find().filter(Column::DeletedAt.is_null());
    if let Some(status) = status {
        wanted = wanted.filter(Column::Status.eq(status.column()));
    }
    if let Some(keyword) = keyword {
        wanted = wanted.filter(begins_with(keyword, db.dialect()));
    }
    let newest = wanted.order_by_desc(Column::Id);
    let (total, rows) = bounded_page(db.reader(), newest, paging.offset(), paging.size).await?;
    Ok((total, rows.into_iter().map(|row| room(db, row)).collect()))
}

/// How many rooms are live.
pub async fn count_live(conn: &impl ConnectionTrait) -> Result<u64, StoreError> {
    use live_entities::{Column, Entity};
    let live = Entity::find().filter(Column::Status.eq(LiveStatus::Live.column()));
    Ok(live.filter(Column::DeletedAt.is_null()).count(conn).await?)
}

/// How many users are in rooms by the rows, which follow the heartbeats.
pub async fn count_members(conn: &impl ConnectionTrait) -> Result<u64, StoreError> {
    use live_room_user_entities::{Column, Entity};
    Ok(Entity::find().filter(Column::Status.eq(members::IN)).count(conn).await?)
}

/// The ids of an anchor's live rooms, the newest first, at most `limit`.
pub async fn live_of_anchor(db: &Db, anchor_id: &str, limit: u64) -> Result<Vec<String>, StoreError> {
    use live_entities::{Column, Entity};
    let exact = Expr::cust(db.dialect().bytewise("`anchor_id`")).eq(anchor_id);
    let theirs = Entity::find().filter(Column::AnchorId.eq(anchor_id)).filter(exact);
    let live =
        theirs.filter(Column::DeletedAt.is_null()).filter(Column::Status.eq(LiveStatus::Live.column()));
    let newest = live.order_by_desc(Column::Id).limit(limit).select_only().column(Column::LiveId);
    let ids: Vec<Option<String>> = newest.into_tuple().all(db.primary()).await?;
    Ok(ids.into_iter().flatten().collect())
}
