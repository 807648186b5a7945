//! Statements on `live_gift` for operators: pages of a selection.
//!
//! A selection by time is read in the order of time, by the index on it; any other in the order of rows. So
//! each page reads little more than its own rows, of a table of any size.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    Statement,
};

use super::export::{Cursor, Selection};
use super::queries::{Whose, condition};
use super::row::{Gift, GiftStatus};
use common::page::Paging;
use store::db::{Db, MAX_LISTED_ROWS, StoreError, bounded_page, count_up_to};
use store::entity::live_gift::{Column, Entity};

/// The newest gifts of a selection.
pub async fn newest(
    db: &Db,
    conn: &impl ConnectionTrait,
    selection: &Selection,
    limit: u64,
) -> Result<Vec<Gift>, StoreError> {
    let rows = Entity::find().from_raw_sql(newest_statement(db, selection, limit)).all(conn).await?;
    Ok(rows.into_iter().map(|row| Gift::of(db, row)).collect())
}

/// The statement of [`newest`].
pub fn newest_statement(db: &Db, selection: &Selection, limit: u64) -> Statement {
    newest_first(db, selection).limit(limit).build(db.dialect().backend())
}

/// The gifts of a selection after one of it, oldest first.
pub async fn after(
    db: &Db,
    conn: &impl ConnectionTrait,
    selection: &Selection,
    last: Option<Cursor>,
    limit: u64,
) -> Result<Vec<Gift>, StoreError> {
    let rows = Entity::find().from_raw_sql(after_statement(db, selection, last, limit)).all(conn).await?;
    Ok(rows.into_iter().map(|row| Gift::of(db, row)).collect())
}

/// The statement of [`after`].
pub fn after_statement(db: &Db, selection: &Selection, last: Option<Cursor>, limit: u64) -> Statement {
    following(db, selection, last).limit(limit).build(db.dialect().backend())
}

/// One page of a selection, the newest first, and how many rows all pages have.
pub async fn page_of(
    db: &Db,
    conn: &impl ConnectionTrait,
    selection: &Selection,
    paging: Paging,
) -> Result<(u64, Vec<Gift>), StoreError> {
    let newest = newest_first(db, selection);
    let (total, rows) = bounded_page(conn, newest, paging.offset(), paging.size).await?;
    Ok((total, rows.into_iter().map(|row| Gift::of(db, row)).collect()))
}

/// How many gifts wait, and how many are flagged; of each [`MAX_LISTED_ROWS`] at most.
pub async fn count_to_see(db: &Db, conn: &impl ConnectionTrait) -> Result<(u64, u64), StoreError> {
    let waiting = Selection { status: Some(GiftStatus::Waiting), ..Selection::default() };
    let flagged = Selection { is_flagged: true, ..Selection::default() };
    let waiting = count_up_to(conn, select(db, &waiting), MAX_LISTED_ROWS).await?;
    Ok((waiting, count_up_to(conn, select(db, &flagged), MAX_LISTED_ROWS).await?))
}

fn newest_first(db: &Db, selection: &Selection) -> Select<Entity> {
    let wanted = select(db, selection);
    let wanted = if selection.is_by_time() { wanted.order_by_desc(Column::CreatedAt) } else { wanted };
    wanted.order_by_desc(Column::Id)
}

fn following(db: &Db, selection: &Selection, last: Option<Cursor>) -> Select<Entity> {
    let mut wanted = select(db, selection);
    if !selection.is_by_time() {
        if let Some(last) = last {
            wanted = wanted.filter(Column::Id.gt(last.row_id));
        }
        return wanted.order_by_asc(Column::Id);
    }
    if let Some(Cursor { at: Some(at), row_id }) = last {
        let at = db.wall(at);
        // The first comparison is the one that finds the place in the index. That of the row is none that
        // an index could answer, so that none but that of time is thought of.
        let further = Expr::col(Column::Id).add(0).gt(row_id);
        wanted = wanted.filter(Column::CreatedAt.gte(at)).filter(Column::CreatedAt.gt(at).or(further));
    }
    wanted.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id)
}

/// All that a selection has.
fn select(db: &Db, selection: &Selection) -> Select<Entity> {
    let mut wanted = Entity::find();
    if let Some(status) = selection.status {
        // Nearly all gifts are paid: by an index on the status all of them would be read and sorted, where a walk
        // along the rows soon has a page of them.
        let column = Expr::col(Column::Status);
        let column = if status == GiftStatus::Paid { column.add(0) } else { column };
        wanted = wanted.filter(column.eq(status.column()));
    }
    if selection.is_flagged {
        wanted = wanted.filter(Column::Flag.is_not_null());
    }
    if let Some(live_id) = &selection.live_id {
        wanted = wanted.filter(condition(db, Whose::Room(live_id)));
    }
    if let Some(user_id) = &selection.user_id {
        wanted = wanted.filter(condition(db, Whose::Sender(user_id)));
    }
    if let Some(anchor_id) = &selection.anchor_id {
        wanted = wanted.filter(condition(db, Whose::Anchor(anchor_id)));
    }
    if let Some(from) = selection.from {
        wanted = wanted.filter(Column::CreatedAt.gte(db.wall(from)));
    }
    if let Some(to) = selection.to {
        wanted = wanted.filter(Column::CreatedAt.lt(db.wall(to)));
    }
    wanted
}
