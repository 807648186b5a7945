//! Bans from the platform. One who is banned gets nowhere until the ban ends; the tokens that they had
//! are revoked for good.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::dto::BanView;
use super::service::{Error, Users};
use super::{User, queries};
use crate::auth::{AccountStatus, Ban};
use common::page::{Page, Paging};
use realtime::control::ConnectionControl;
use store::db::{Db, StoreError};
use store::entity::user_ban::{ActiveModel, Column, Entity, Model};

/// A ban to impose.
#[derive(Clone, Debug)]
pub struct NewBan {
    /// How long; None is forever.
    pub duration: Option<Duration>,
    /// Why; may be empty. The user is told.
    pub reason: String,
    /// The administrator; empty for a backend.
    pub by_user: String,
}

/// The bans from the platform; clones share everything.
#[derive(Clone)]
pub struct Bans {
    users: Users,
    control: Arc<dyn ConnectionControl>,
}

impl Bans {
    /// The bans of `users`.
    #[must_use]
    pub fn new(users: Users, control: Arc<dyn ConnectionControl>) -> Self {
        Self { users, control }
    }

    /// Bans a user, instead of a ban that there is, and revokes their tokens.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn impose(&self, user_id: &str, new: &NewBan) -> Result<(), Error> {
        let db = &self.users.db;
        let now = self.users.clock.now();
        let ban = Ban { until_ms: end_of(new.duration, now), reason: new.reason.clone() };
        db.transaction(|tx| {
            let ban = &ban;
            Box::pin(async move {
                queries::find_for_update(tx, user_id).await?.ok_or(Error::NotFound)?;
                store(db, tx, user_id, ban, &new.by_user, now).await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
        self.users.changed(user_id).await;
        self.control.disconnect(user_id, &ban.text()).await;
        Ok(())
    }

    /// Ends the ban of a user; harmless when there is none. Revoked tokens stay so.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's.
    pub async fn lift(&self, user_id: &str) -> Result<(), Error> {
        self.users.known(user_id).await?.ok_or(Error::NotFound)?;
        let change = Entity::update_many().col_expr(Column::UntilMs, Expr::value(None::<i64>));
        let theirs = change.filter(Column::UserId.eq(user_id));
        theirs.exec(self.users.db.writer()).await.map_err(StoreError::from)?;
        self.users.changed(user_id).await;
        Ok(())
    }

    /// A page of those who are banned, the latest ban first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, paging: Paging) -> Result<Page<BanView>, Error> {
        let db = &self.users.db;
        let conn = db.primary();
        let wanted = Entity::find().filter(is_on(self.users.clock.now_ms()));
        let total = wanted.clone().count(conn).await.map_err(StoreError::from)?;
        let ordered = wanted.order_by_desc(Column::CreatedAt).order_by_asc(Column::UserId);
        let rows = ordered.offset(paging.offset()).limit(paging.size).all(conn).await;
        let rows = rows.map_err(StoreError::from)?;
        let ids: Vec<String> = rows.iter().map(|row| row.user_id.clone()).collect();
        let users = self.users.list(&ids).await?;
        let view = |row: Model| {
            let user = users.iter().find(|user| user.user_id == row.user_id);
            let user = user.map_or_else(|| User::unknown(&row.user_id), |user| User::clone(user));
            BanView::new(&user, &row, db.instant(row.created_at).timestamp())
        };
        Ok(Page::new(paging, total, rows.into_iter().map(view).collect()))
    }
}

impl Users {
    /// How those of `user_ids` stand who are or were banned, by the writable database, in one statement. Nobody
    /// else has lost a token.
    ///
    /// # Errors
    /// The store's.
    pub async fn account_statuses(&self, user_ids: &[&str]) -> Result<HashMap<String, AccountStatus>, Error> {
        let theirs = Entity::find().filter(Column::UserId.is_in(user_ids.iter().copied()));
        let rows = theirs.all(self.db.primary()).await.map_err(StoreError::from)?;
        Ok(rows.into_iter().map(|row| (row.user_id.clone(), status(Some(row)))).collect())
    }
}

/// When something that begins `now` ends, in Unix milliseconds; 0 is never.
#[must_use]
pub fn end_of(duration: Option<Duration>, now: DateTime<Utc>) -> i64 {
    let Some(duration) = duration else { return 0 };
    let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    now.timestamp_millis().saturating_add(ms)
}

/// The Unix second at which something has ended that ends at `until_ms`; 0 is never.
#[must_use]
pub fn end_in_seconds(until_ms: i64) -> i64 {
    until_ms / 1000 + i64::from(until_ms % 1000 > 0)
}

/// How a user stands by their row.
pub(super) fn status(row: Option<Model>) -> AccountStatus {
    let Some(row) = row else { return AccountStatus::default() };
    let ban = row.until_ms.map(|until_ms| Ban { until_ms, reason: row.reason });
    AccountStatus { ban, revoked_at: Some(row.revoked_at) }
}

pub(super) fn is_on(now_ms: i64) -> SimpleExpr {
    Column::UntilMs.eq(0).or(Column::UntilMs.gt(now_ms))
}

async fn store(
    db: &Db,
    tx: &impl ConnectionTrait,
    user_id: &str,
    ban: &Ban,
    by_user: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = ActiveModel {
        user_id: Set(user_id.to_owned()),
        until_ms: Set(Some(ban.until_ms)),
        revoked_at: Set(now.timestamp()),
        reason: Set(ban.reason.clone()),
        by_user: Set(by_user.to_owned()),
        created_at: Set(db.wall(now)),
    };
    let columns = [Column::UntilMs, Column::RevokedAt, Column::Reason, Column::ByUser, Column::CreatedAt];
    let conflict = OnConflict::column(Column::UserId).update_columns(columns).to_owned();
    Entity::insert(row).on_conflict(conflict).exec_without_returning(tx).await?;
    Ok(())
}
