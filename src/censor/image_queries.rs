//! Statements on `censor_image`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement, Value,
};

use crate::live::STOPPED_BY_CENSOR;
use common::page::Paging;
use store::db::{Db, MAX_LISTED_ROWS, StoreError, count_up_to};
use store::entity::censor_image::{ActiveModel, Column, Entity, Model};
use store::entity::live_entities;

/// `review_answer` of a picture that breaks the rules.
pub const VIOLATION: i32 = 2;

/// Whether a result with this key is stored.
pub async fn is_seen(conn: &impl ConnectionTrait, seen_key: &str) -> Result<bool, StoreError> {
    Ok(Entity::find().filter(Column::SeenKey.eq(seen_key)).count(conn).await? > 0)
}

/// Stores a picture that waits for an operator.
pub async fn insert(tx: &impl ConnectionTrait, new: Model) -> Result<(), StoreError> {
    let row = ActiveModel {
        url: Set(new.url),
        job_id: Set(new.job_id),
        created_at: Set(new.created_at),
        suggestion: Set(new.suggestion),
        pulp: Set(new.pulp),
        terror: Set(new.terror),
        politician: Set(new.politician),
        ads: Set(new.ads),
        live_id: Set(new.live_id),
        is_review: Set(Some(0)),
        seen_key: Set(new.seen_key),
        ..ActiveModel::default()
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// How many pictures of a room wait for an operator.
pub async fn waiting(db: &Db, conn: &impl ConnectionTrait, live_id: &str) -> Result<i32, StoreError> {
    let filter = of_room(db, live_id).add(waits());
    let count = Entity::find().filter(filter).count(conn).await?;
    Ok(i32::try_from(count).unwrap_or(i32::MAX))
}

/// How many pictures wait for an operator, [`MAX_LISTED_ROWS`] at most; not those of rooms that one has ended, which
/// are not in the queue either.
pub async fn count_waiting(conn: &impl ConnectionTrait) -> Result<u64, StoreError> {
    let (room, reason) =
        ((live_entities::Entity, live_entities::Column::LiveId), live_entities::Column::StopReason);
    let ended = Query::select()
        .expr(Expr::val(1))
        .from(live_entities::Entity)
        .and_where(Expr::col(room).equals((Entity, Column::LiveId)))
        .and_where(Expr::col((live_entities::Entity, reason)).eq(STOPPED_BY_CENSOR))
        .take();
    let queued = Entity::find().filter(waits()).filter(Expr::exists(ended).not());
    count_up_to(conn, queued, MAX_LISTED_ROWS).await
}

/// How many of these pictures are the room's.
pub async fn count_of(
    db: &Db,
    conn: &impl ConnectionTrait,
    live_id: &str,
    ids: &[u32],
) -> Result<u64, StoreError> {
    let filter = of_room(db, live_id).add(Column::Id.is_in(ids.iter().copied()));
    Ok(Entity::find().filter(filter).count(conn).await?)
}

/// An operator's verdict on pictures of a room.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// 1 pass, 2 violation.
    pub answer: i32,
    /// The operator.
    pub admin_id: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

/// Writes the verdict.
pub async fn judge(
    db: &Db,
    tx: &impl ConnectionTrait,
    live_id: &str,
    ids: &[u32],
    verdict: Verdict<'_>,
) -> Result<(), StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::IsReview, Expr::value(1))
        .col_expr(Column::ReviewAnswer, Expr::value(verdict.answer))
        .col_expr(Column::ReviewUserId, Expr::value(verdict.admin_id))
        .col_expr(Column::ReviewTime, Expr::value(db.wall(verdict.at)));
    let filter = of_room(db, live_id).add(Column::Id.is_in(ids.iter().copied()));
    change.filter(filter).exec(tx).await?;
    Ok(())
}

/// Which pictures a page shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// All, those that wait, or those that an operator has judged.
    pub is_done: Option<bool>,
    /// Of one room, or of all.
    pub live_id: Option<&'a str>,
}

/// One page of pictures, and how many rows all pages have: newest first, of judged ones those that
/// break the rules first.
pub async fn page(
    db: &Db,
    conn: &impl ConnectionTrait,
    wanted: Wanted<'_>,
    paging: Paging,
) -> Result<(u64, Vec<Model>), StoreError> {
    let mut filter = wanted.live_id.map_or_else(Condition::all, |live_id| of_room(db, live_id));
    match wanted.is_done {
        None => {}
        Some(false) => filter = filter.add(waits()),
        Some(true) => filter = filter.add(Column::IsReview.eq(1)),
    }
    let mut rows = Entity::find().filter(filter);
    let total = rows.clone().count(conn).await?;
    if paging.offset() >= total {
        return Ok((total, Vec::new()));
    }
    if wanted.is_done == Some(true) {
        rows = rows.order_by_desc(Column::ReviewAnswer);
    }
    let rows = rows.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id);
    Ok((total, rows.offset(paging.offset()).limit(paging.size).all(conn).await?))
}

/// How many pictures rooms have, and how many of them break the rules. One statement.
pub async fn counts(
    conn: &impl ConnectionTrait,
    live_ids: &[&str],
) -> Result<HashMap<String, (i64, i64)>, StoreError> {
    if live_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let places = vec!["?"; live_ids.len()].join(", ");
    let sql = format!(
        "SELECT live_id, COUNT(*) AS pictures, \
         CAST(SUM(CASE WHEN review_answer = {VIOLATION} THEN 1 ELSE 0 END) AS SIGNED) AS violations \
         FROM censor_image WHERE live_id IN ({places}) GROUP BY live_id"
    );
    let values = live_ids.iter().map(|id| Value::from(*id));
    let asked = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    let mut counts = HashMap::new();
    for row in conn.query_all_raw(asked).await? {
        let live_id: String = row.try_get("", "live_id")?;
        counts.insert(live_id, (row.try_get("", "pictures")?, row.try_get("", "violations")?));
    }
    Ok(counts)
}

/// Old rows may hold NULL for 0.
fn waits() -> Condition {
    Condition::any().add(Column::IsReview.eq(0)).add(Column::IsReview.is_null())
}

/// By the index, and then byte by byte.
fn of_room(db: &Db, live_id: &str) -> Condition {
    let exact = Expr::cust(db.dialect().bytewise("`live_id`")).eq(live_id);
    Condition::all().add(Column::LiveId.eq(live_id)).add(exact)
}
