//! Statements on `live_room_user_entities`: one row per user, which says where they are.
//!
//! `status` 1 is in the room. Of those who are not, one who timed out keeps the room's id,
//! and so can come back by a heartbeat; one who left has an empty one.
//!
//! `mic_seat` is false when the user surely holds no seat in the room: then nobody has to look for
//! one when they leave. It changes under the lock of [`lock`] alone, as seats do.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, Statement,
};

use super::error::Error;
use super::removal;
use common::page::Paging;
use store::cache::Counters;
use store::db::{Db, StoreError, WallTime};
use store::entity::live_room_user_entities::{Column, Entity};
use store::entity::live_users;

pub(super) const OUT: i32 = 0;
pub(super) const IN: i32 = 1;

/// Where a user is, or was last.
#[derive(Clone, Debug)]
pub struct Membership {
    /// Primary key of the row.
    pub row_id: u32,
    /// The room; empty for one who left.
    pub live_id: String,
    /// Whether they are in it.
    pub is_online: bool,
    /// Whether they may hold a microphone seat in it; of rows of another server it is not known.
    pub may_hold_seat: bool,
    /// Whether they are its anchor; of a deleted room nobody is.
    pub is_anchor: bool,
}

/// What is read of a row. The room is read without a lock: an anchor stays one.
const COLUMNS: &str = "m.id, m.live_id, m.user_id, m.status, m.mic_seat, \
     (SELECT e.anchor_id FROM live_entities e WHERE e.live_id = m.live_id AND e.deleted_at IS NULL LIMIT 1) \
     anchor_id";

/// Where `user_id` is.
pub async fn of_user(
    db: &Db,
    conn: &impl ConnectionTrait,
    user_id: &str,
) -> Result<Option<Membership>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM live_room_user_entities m WHERE m.user_id = ? ORDER BY m.id");
    let rows = conn
        .query_all_raw(Statement::from_sql_and_values(db.dialect().backend(), sql, [user_id.into()]))
        .await?;
    first_of(rows, user_id)
}

/// Where `user_id` is, with their other joins and leaves kept out until the transaction ends.
///
/// The row of `live_users` is what is locked: it exists before the first membership does.
pub async fn lock(
    db: &Db,
    tx: &impl ConnectionTrait,
    user_id: &str,
) -> Result<Option<Membership>, StoreError> {
    let rows = tx.query_all_raw(lock_statement(db, "", user_id, &[])).await?;
    first_of(rows, user_id)
}

/// [`lock`], of the row that says that `user_id` is or was in room `live_id`: an adopted table may
/// hold several rows of a user.
pub async fn lock_in_room(
    db: &Db,
    tx: &impl ConnectionTrait,
    live_id: &str,
    user_id: &str,
) -> Result<Option<Membership>, StoreError> {
    let rows = tx.query_all_raw(lock_statement(db, "", user_id, &[])).await?;
    let mut theirs = all_of(rows, user_id)?.into_iter();
    Ok(theirs.find(|member| member.live_id == live_id))
}

/// [`lock`], with the counters of room `live_id` in the same statement.
pub async fn lock_and_count(
    db: &Db,
    tx: &impl ConnectionTrait,
    user_id: &str,
    live_id: &str,
) -> Result<(Option<Membership>, Option<Counters>), StoreError> {
    let counts = ", (SELECT CAST(COALESCE(SUM(s.count), 0) AS SIGNED) FROM stats_single_live s WHERE s.type = 1 AND s.live_id = ?) pv\
                  , (SELECT COUNT(DISTINCT s.user_id) FROM stats_single_live s WHERE s.type = 1 AND s.live_id = ?) uv\
                  , (SELECT COUNT(*) FROM live_mic_entities g WHERE g.live_id = ? AND g.status = 0 \
                     AND g.deleted_at IS NULL) mics";
    let rows = tx.query_all_raw(lock_statement(db, counts, user_id, &[live_id; 3])).await?;
    let counters = rows.first().map(counters_of).transpose()?;
    Ok((first_of(rows, user_id)?, counters))
}

fn lock_statement(db: &Db, columns: &str, user_id: &str, values: &[&str]) -> Statement {
    let lock = db.dialect().update_lock_sql();
    let sql = format!(
        "SELECT {COLUMNS}{columns} FROM live_users u \
         LEFT JOIN live_room_user_entities m ON m.user_id = u.user_id WHERE u.user_id = ? ORDER BY m.id{lock}"
    );
    let values = values.iter().copied().chain([user_id]).map(sea_orm::Value::from);
    Statement::from_sql_and_values(db.dialect().backend(), sql, values)
}

/// The columns `pv`, `uv` and `mics` of a row. MySQL makes decimals of sums: statements cast them.
pub(super) fn counters_of(row: &QueryResult) -> Result<Counters, StoreError> {
    let count = |column| row.try_get("", column);
    Ok(Counters { pv: count("pv")?, uv: count("uv")?, mics: count("mics")? })
}

/// The first row that is bytewise this user's: a collation may bring others.
fn first_of(rows: Vec<QueryResult>, user_id: &str) -> Result<Option<Membership>, StoreError> {
    Ok(all_of(rows, user_id)?.into_iter().next())
}

/// The rows that are bytewise this user's.
fn all_of(rows: Vec<QueryResult>, user_id: &str) -> Result<Vec<Membership>, StoreError> {
    let mut members = Vec::with_capacity(rows.len());
    for row in rows {
        let owner: Option<String> = row.try_get("", "user_id")?;
        if owner.as_deref() == Some(user_id) {
            let live_id: Option<String> = row.try_get("", "live_id")?;
            let status: Option<i32> = row.try_get("", "status")?;
            let mic_seat: Option<bool> = row.try_get("", "mic_seat")?;
            let anchor_id: Option<String> = row.try_get("", "anchor_id")?;
            members.push(Membership {
                row_id: row.try_get("", "id")?,
                live_id: live_id.unwrap_or_default(),
                is_online: status == Some(IN),
                may_hold_seat: mic_seat != Some(false),
                is_anchor: anchor_id.as_deref() == Some(user_id),
            });
        }
    }
    Ok(members)
}

/// Puts a user into a room, unless they are banned from it, and answers the other room that they were in.
///
/// The ban is looked for under the lock of [`lock`], which whoever imposes one takes as well.
pub async fn store(
    db: &Db,
    tx: &impl ConnectionTrait,
    found: Option<Membership>,
    live_id: &str,
    user_id: &str,
    now: DateTime<Utc>,
) -> Result<Option<String>, Error> {
    let banned = removal::ban_on(live_id, user_id, now);
    let now = db.wall(now);
    let Some(member) = found else {
        insert(tx, live_id, user_id, now, banned).await?;
        return Ok(None);
    };
    let mut change = Entity::update_many()
        .col_expr(Column::LiveId, Expr::value(live_id))
        .col_expr(Column::Status, Expr::value(IN))
        .col_expr(Column::HeartBeatAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now));
    if member.live_id != live_id {
        change = change.col_expr(Column::MicSeat, Expr::value(false));
    }
    let here = Column::Id.eq(member.row_id).and(Expr::not_exists(banned));
    if change.filter(here).exec(tx).await.map_err(StoreError::from)?.rows_affected == 0 {
        return Err(Error::Banned);
    }
    Ok((member.is_online && member.live_id != live_id && !member.live_id.is_empty())
        .then_some(member.live_id))
}

/// The first row of a user, by one statement with the look for a ban; the user's own row, which is
/// locked, makes it one row.
async fn insert(
    tx: &impl ConnectionTrait,
    live_id: &str,
    user_id: &str,
    now: WallTime,
    banned: SelectStatement,
) -> Result<(), Error> {
    let columns = [
        (Column::LiveId, Expr::value(live_id)),
        (Column::UserId, Expr::value(user_id)),
        (Column::Status, Expr::value(IN)),
        (Column::HeartBeatAt, Expr::value(now)),
        (Column::CreatedAt, Expr::value(now)),
        (Column::UpdatedAt, Expr::value(now)),
        (Column::MicSeat, Expr::value(false)),
    ];
    let mut row = Query::select();
    row.exprs(columns.iter().map(|(_, value)| value.clone()))
        .from(live_users::Entity)
        .and_where(Expr::col(live_users::Column::UserId).eq(user_id))
        .and_where(Expr::not_exists(banned));
    let mut insert = Query::insert();
    insert.into_table(Entity).columns(columns.map(|(column, _)| column));
    insert.select_from(row).map_err(|error| StoreError::Setup(error.to_string()))?;
    let inserted = tx.execute(&insert).await.map_err(StoreError::from)?;
    if inserted.rows_affected() == 0 { Err(Error::Banned) } else { Ok(()) }
}

/// Takes a user out of a room, unless they may hold a seat in it; whether they were so taken out.
pub async fn take_out_without_seat(
    db: &Db,
    conn: &impl ConnectionTrait,
    live_id: &str,
    user_id: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let theirs = Column::UserId.eq(user_id).and(Column::LiveId.eq(live_id)).and(Column::MicSeat.eq(false));
    take_out_where(db, conn, theirs, now).await
}

/// Takes the user of a row out of their room.
pub async fn take_out(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_id: u32,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    take_out_where(db, tx, Column::Id.eq(row_id), now).await?;
    Ok(())
}

async fn take_out_where(
    db: &Db,
    conn: &impl ConnectionTrait,
    which: SimpleExpr,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let change = Entity::update_many()
        .col_expr(Column::LiveId, Expr::value(""))
        .col_expr(Column::Status, Expr::value(OUT))
        .col_expr(Column::MicSeat, Expr::value(false))
        .col_expr(Column::UpdatedAt, Expr::value(db.wall(now)));
    Ok(change.filter(which).exec(conn).await?.rows_affected > 0)
}

/// Notes that the user of a row may hold a seat in their room.
pub async fn note_seat(tx: &impl ConnectionTrait, row_id: u32) -> Result<(), StoreError> {
    let change = Entity::update_many().col_expr(Column::MicSeat, Expr::value(true));
    change.filter(Column::Id.eq(row_id)).exec(tx).await?;
    Ok(())
}

/// Brings back users of room `live_id` who timed out; how many were.
pub async fn set_online(
    db: &Db,
    conn: &impl ConnectionTrait,
    row_ids: &[u32],
    live_id: &str,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let now = db.wall(now);
    let change = Entity::update_many()
        .col_expr(Column::Status, Expr::value(IN))
        .col_expr(Column::HeartBeatAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now));
    let out =
        Column::Id.is_in(row_ids.iter().copied()).and(Column::LiveId.eq(live_id)).and(Column::Status.eq(OUT));
    Ok(change.filter(out).exec(conn).await?.rows_affected)
}

/// One page of the ids of the users in a room, latest first, and how many there are.
pub async fn page_of_room(
    conn: &impl ConnectionTrait,
    live_id: &str,
    paging: Paging,
) -> Result<(u64, Vec<String>), StoreError> {
    let wanted = Entity::find().filter(Column::LiveId.eq(live_id)).filter(Column::Status.eq(IN));
    let total = wanted.clone().count(conn).await?;
    if paging.offset() >= total {
        return Ok((total, Vec::new()));
    }
    let ordered = wanted.order_by_desc(Column::UpdatedAt).order_by_desc(Column::Id);
    let ids: Vec<Option<String>> = ordered
        .select_only()
        .column(Column::UserId)
        .offset(paging.offset())
        .limit(paging.size)
        .into_tuple()
        .all(conn)
        .await?;
    Ok((total, ids.into_iter().flatten().collect()))
}
