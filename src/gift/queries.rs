//! Statements on `live_gift` that find gifts and end them; those on leases are in `claims`.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Statement, UpdateMany,
};

use super::payment::Refusal;
use super::row::{Gift, GiftStatus};
use super::send_key::ClientKey;
use crate::event::GiftRow;
use common::page::Paging;
use store::db::{Db, StoreError};
use store::entity::live_gift::{Column, Entity};

/// What names one gift.
#[derive(Clone, Debug)]
pub enum Name {
    /// Nothing but the id that the server issued for it.
    Issued(String),
    /// A user's own key, beside the id that the server issued for it.
    Client(ClientKey, String),
    /// A backend's own id.
    BizId(String),
}

impl Name {
    /// The id of the payment.
    pub fn biz_id(&self) -> &str {
        match self {
            Self::Issued(biz_id) | Self::Client(_, biz_id) | Self::BizId(biz_id) => biz_id,
        }
    }

    fn client_key(&self, user_id: &str) -> Option<String> {
        match self {
            Self::Client(key, _) => Some(key.digest(user_id)),
            Self::Issued(_) | Self::BizId(_) => None,
        }
    }
}

/// Whose gifts a list shows.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// Those of a room.
    Room(&'a str),
    /// Those to an anchor.
    Anchor(&'a str),
    /// Those of a sender.
    Sender(&'a str),
}

/// Stores a waiting gift that its caller may ask about for `lease_ms`; answers its row number.
///
/// # Errors
/// [`StoreError::Duplicate`] when its name was used before.
pub async fn insert(
    db: &Db,
    conn: &impl ConnectionTrait,
    gift: &GiftRow,
    name: &Name,
    lease_ms: i64,
    now: DateTime<Utc>,
) -> Result<u32, StoreError> {
    let until = format!("{} + ?", db.dialect().now_ms_sql());
    let sql = format!(
        "INSERT INTO live_gift (biz_id, live_id, user_id, anchor_id, gift_id, amount, status, created_at, \
         updated_at, client_key, asks, next_ask_ms, lease_until_ms) \
         VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, 1, {until}, {until})"
    );
    let wall = db.wall(now);
    let values = [
        gift.biz_id.as_str().into(),
        gift.live_id.as_str().into(),
        gift.user_id.as_str().into(),
        gift.anchor_id.as_str().into(),
        gift.gift_id.into(),
        gift.amount.into(),
        wall.into(),
        wall.into(),
        name.client_key(&gift.user_id).into(),
        lease_ms.into(),
        lease_ms.into(),
    ];
    let statement = Statement::from_sql_and_values(db.dialect().backend(), sql, values);
    let done = conn.execute_raw(statement).await?;
    u32::try_from(done.last_insert_id()).map_err(|_| StoreError::Setup("live_gift is full".to_owned()))
}

/// The gift of that name, if `user_id` or a backend sent one.
pub async fn find_named(
    db: &Db,
    conn: &impl ConnectionTrait,
    user_id: &str,
    name: &Name,
) -> Result<Option<Gift>, StoreError> {
    let Some(digest) = name.client_key(user_id) else { return find(db, conn, name.biz_id()).await };
    let row = Entity::find().filter(Column::ClientKey.eq(digest)).one(conn).await?;
    Ok(row.map(|row| Gift::of(db, row)))
}

/// The gift `biz_id`; a collation may bring another one, who does not count.
pub async fn find(db: &Db, conn: &impl ConnectionTrait, biz_id: &str) -> Result<Option<Gift>, StoreError> {
    let row = Entity::find().filter(Column::BizId.eq(biz_id)).one(conn).await?;
    Ok(row.map(|row| Gift::of(db, row)).filter(|gift| gift.sent.biz_id == biz_id))
}

/// The gift `biz_id`, locked until the transaction ends.
pub async fn find_for_update(
    db: &Db,
    tx: &impl ConnectionTrait,
    biz_id: &str,
) -> Result<Option<Gift>, StoreError> {
    let row = Entity::find().filter(Column::BizId.eq(biz_id)).lock_exclusive().one(tx).await?;
    Ok(row.map(|row| Gift::of(db, row)).filter(|gift| gift.sent.biz_id == biz_id))
}

/// The gift in that row.
pub async fn find_row(db: &Db, conn: &impl ConnectionTrait, row_id: u32) -> Result<Option<Gift>, StoreError> {
    Ok(Entity::find_by_id(row_id).one(conn).await?.map(|row| Gift::of(db, row)))
}

/// The gift is paid, if it was in status `from`; whether it was.
pub async fn set_paid(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_id: u32,
    from: GiftStatus,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let ended = ended(db, GiftStatus::Paid, now)
        .col_expr(Column::PayCode, Expr::value(None::<i64>))
        .col_expr(Column::PayMessage, Expr::value(None::<String>));
    let done = ended.filter(Column::Id.eq(row_id).and(Column::Status.eq(from.column()))).exec(tx).await?;
    Ok(done.rows_affected > 0)
}

/// The gift is refused, if it is waiting and, with `ask`, that was the last ask; whether it was.
pub async fn set_refused(
    db: &Db,
    tx: &impl ConnectionTrait,
    row_id: u32,
    ask: Option<i32>,
    refusal: &Refusal,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let mut change = ended(db, GiftStatus::Refused, now)
        .col_expr(Column::PayCode, Expr::value(refusal.code))
        .col_expr(Column::PayMessage, Expr::value(refusal.message.as_str()))
        .filter(Column::Id.eq(row_id))
        .filter(Column::Status.eq(GiftStatus::Waiting.column()));
    if let Some(ask) = ask {
        change = change.filter(Column::Asks.eq(ask));
    }
    Ok(change.exec(tx).await?.rows_affected > 0)
}

fn ended(db: &Db, status: GiftStatus, now: DateTime<Utc>) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::Status, Expr::value(status.column()))
        .col_expr(Column::UpdatedAt, Expr::value(db.wall(now)))
        .col_expr(Column::NextAskMs, Expr::value(None::<i64>))
        .col_expr(Column::LeaseUntilMs, Expr::value(None::<i64>))
}

/// Flags a gift, or takes the flag off; a flag that is there stays.
pub async fn set_flag(
    tx: &impl ConnectionTrait,
    row_id: u32,
    flag: Option<&str>,
) -> Result<bool, StoreError> {
    let change = Entity::update_many().col_expr(Column::Flag, Expr::value(flag));
    let mut change = change.filter(Column::Id.eq(row_id));
    if flag.is_some() {
        change = change.filter(Column::Flag.is_null());
    }
    Ok(change.exec(tx).await?.rows_affected > 0)
}

/// One page of gifts, the newest first, and how many rows all pages have.
pub async fn page(
    db: &Db,
    conn: &impl ConnectionTrait,
    whose: Whose<'_>,
    paging: Paging,
) -> Result<(u64, Vec<Gift>), StoreError> {
    let wanted = Entity::find().filter(condition(db, whose));
    let total = wanted.clone().count(conn).await?;
    if paging.offset() >= total {
        return Ok((total, Vec::new()));
    }
    let newest = wanted.order_by_desc(Column::Id).offset(paging.offset()).limit(paging.size);
    let rows = newest.all(conn).await?;
    Ok((total, rows.into_iter().map(|row| Gift::of(db, row)).collect()))
}

/// Equal byte by byte; the plain comparison before it is the one that finds the index.
pub(super) fn condition(db: &Db, whose: Whose<'_>) -> Condition {
    let (column, name, id) = match whose {
        Whose::Room(id) => (Column::LiveId, "`live_id`", id),
        Whose::Anchor(id) => (Column::AnchorId, "`anchor_id`", id),
        Whose::Sender(id) => (Column::UserId, "`user_id`", id),
    };
    Condition::all().add(column.eq(id)).add(Expr::cust(db.dialect().bytewise(name)).eq(id))
}
