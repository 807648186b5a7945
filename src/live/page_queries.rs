//! Pages of rooms.

use sea_orm::sea_query::Condition;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::queries::room;
use super::room::{LiveStatus, Room, Wanted};
use common::page::Paging;
use store::db::{Db, Dialect, StoreError};
use store::entity::live_entities::{Column, Entity};

/// Which rooms a page shows, and so in which order.
pub enum RoomFilter<'a> {
    /// By status, newest update first.
    Status(Wanted),
    /// Of one anchor, newest start first.
    Anchor(&'a str),
    /// Live ones whose title, id or anchor's id starts with this.
    Prefix(&'a str),
}

/// One page of rooms, and how many rows all pages have.
pub async fn page(
    db: &Db,
    conn: &impl ConnectionTrait,
    filter: &RoomFilter<'_>,
    paging: Paging,
) -> Result<(u64, Vec<Room>), StoreError> {
    let wanted = Entity::find().filter(condition(filter, db.dialect()));
    let total = wanted.clone().count(conn).await?;
    if paging.offset() >= total {
        return Ok((total, Vec::new()));
    }
    let ordered = match filter {
        RoomFilter::Anchor(_) => wanted.order_by_desc(Column::StartAt),
        RoomFilter::Status(Wanted::Open) => {
            wanted.order_by_desc(Column::Status).order_by_desc(Column::UpdatedAt)
        }
        RoomFilter::Status(_) | RoomFilter::Prefix(_) => wanted.order_by_desc(Column::UpdatedAt),
    };
    let rows = ordered.order_by_desc(Column::Id).offset(paging.offset()).limit(paging.size).all(conn).await?;
    Ok((total, rows.into_iter().map(|row| room(db, row)).collect()))
}

fn condition(filter: &RoomFilter<'_>, dialect: Dialect) -> Condition {
    let present = Condition::all().add(Column::DeletedAt.is_null());
    match filter {
        RoomFilter::Status(Wanted::Open) => {
            present.add(Column::Status.is_in([LiveStatus::Created.column(), LiveStatus::Live.column()]))
        }
        RoomFilter::Status(Wanted::Only(status)) => present.add(Column::Status.eq(status.column())),
        RoomFilter::Anchor(anchor_id) => present.add(Column::AnchorId.eq(*anchor_id)),
        RoomFilter::Prefix(keyword) => {
            present.add(Column::Status.eq(LiveStatus::Live.column())).add(begins_with(keyword, dialect))
        }
    }
}

/// Title, id or anchor's id begins so. Titles are searched as people type; ids are compared byte by byte.
pub(super) fn begins_with(keyword: &str, dialect: Dialect) -> Condition {
    Condition::any()
        .add(dialect.starts_with_folded(Column::Title, keyword))
        .add(dialect.starts_with(Column::LiveId, keyword))
        .add(dialect.starts_with(Column::AnchorId, keyword))
}
