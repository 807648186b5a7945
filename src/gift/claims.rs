//! The right to ask the payment service about a gift: one caller at a time, for a while.
//!
//! Whoever asks counts `asks` up and so gets a number that no other caller of the gift has; only the
//! last number may write a refusal or the next pause. The time is the database's, one for all nodes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Func, LockBehavior, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany};

use super::row::{Gift, GiftStatus};
use common::clock::millis;
use store::db::{Db, StoreError};
use store::entity::live_gift::{Column, Entity};

/// The right to ask about a gift.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The gift, as it was found.
    pub gift: Gift,
    /// The number of this ask.
    pub ask: i32,
}

/// Claims one gift, found waiting, unless another caller asks about it just now.
pub(super) async fn claim(
    db: &Db,
    conn: &impl ConnectionTrait,
    gift: Gift,
    lease_ms: i64,
) -> Result<Option<Claim>, StoreError> {
    let is_free = Column::LeaseUntilMs.is_null().or(Expr::col(Column::LeaseUntilMs).lte(now_ms(db)));
    let found_so = Column::Id.eq(gift.row_id).and(Column::Asks.eq(gift.asks));
    let done = leased(db, lease_ms)
        .filter(found_so)
        .filter(Column::Status.eq(GiftStatus::Waiting.column()))
        .filter(is_free)
        .exec(conn)
        .await?;
    let ask = gift.asks.saturating_add(1);
    Ok((done.rows_affected > 0).then_some(Claim { gift, ask }))
}

/// Claims up to `limit` gifts whose time has come, the longest waiting first. Two statements.
pub(super) async fn claim_due(
    db: &Db,
    tx: &impl ConnectionTrait,
    limit: u64,
    lease_ms: i64,
) -> Result<Vec<Claim>, StoreError> {
    let due = Entity::find()
        .filter(Column::Status.eq(GiftStatus::Waiting.column()))
        .filter(Expr::col(Column::NextAskMs).lte(now_ms(db)))
        .order_by_asc(Column::NextAskMs)
        .order_by_asc(Column::Id)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let gifts: Vec<Gift> = due.all(tx).await?.into_iter().map(|row| Gift::of(db, row)).collect();
    if gifts.is_empty() {
        return Ok(Vec::new());
    }
    let rows = Column::Id.is_in(gifts.iter().map(|gift| gift.row_id));
    leased(db, lease_ms).filter(rows).exec(tx).await?;
    let claims = gifts.into_iter().map(|gift| Claim { ask: gift.asks.saturating_add(1), gift });
    Ok(claims.collect())
}

/// Gives the right back: the gift may be asked about again after `pause`, or, without one, only when
/// somebody wants to.
pub(super) async fn give_back(
    db: &Db,
    conn: &impl ConnectionTrait,
    claim: &Claim,
    pause: Option<Duration>,
) -> Result<(), StoreError> {
    let next = match pause {
        Some(pause) => now_ms(db).add(millis(pause)),
        None => Expr::value(None::<i64>),
    };
    Entity::update_many()
        .col_expr(Column::NextAskMs, next)
        .col_expr(Column::LeaseUntilMs, Expr::value(None::<i64>))
        .filter(Column::Id.eq(claim.gift.row_id))
        .filter(Column::Status.eq(GiftStatus::Waiting.column()))
        .filter(Column::Asks.eq(claim.ask))
        .exec(conn)
        .await?;
    Ok(())
}

/// How many gifts have no outcome; how many of these are asked about again; and how many of these were
/// made after `overdue`. One statement.
pub(super) async fn count_open(
    db: &Db,
    conn: &impl ConnectionTrait,
    overdue: DateTime<Utc>,
) -> Result<(i64, i64, i64), StoreError> {
    let is_overdue = Expr::col(Column::CreatedAt).lte(db.wall(overdue));
    let in_time = Expr::case(is_overdue, Expr::value(None::<i64>)).finally(Expr::col(Column::NextAskMs));
    let wanted = Entity::find()
        .select_only()
        .expr(Expr::col(Column::Id).count())
        .expr(Expr::col(Column::NextAskMs).count())
        .expr(Func::count(in_time))
        .filter(Column::Status.eq(GiftStatus::Waiting.column()));
    Ok(wanted.into_tuple().one(conn).await?.unwrap_or_default())
}

fn leased(db: &Db, lease_ms: i64) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::Asks, Expr::col(Column::Asks).add(1))
        .col_expr(Column::NextAskMs, now_ms(db).add(lease_ms))
        .col_expr(Column::LeaseUntilMs, now_ms(db).add(lease_ms))
}

fn now_ms(db: &Db) -> Expr {
    Expr::cust(db.dialect().now_ms_sql())
}
