//! Taking a user out of a room whether they want or not, and keeping them out: for moderation, which
//! stands above this floor and writes who is banned.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};

use super::error::Error;
use super::members;
use super::membership::Event;
use super::service::Lives;
use crate::event::{self, DomainEvent};
use common::supervise;
use store::cache::Member;
use store::db::{StoreError, Tx};
use store::entity::live_sanction::{BAN, Column, Entity};
use telemetry::context;
use telemetry::sampled;

/// Longer than a call of the cache may take.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// What happened when a user was taken out of a room.
#[derive(Debug, Default)]
pub struct TakenOut(Vec<Event>);

impl Lives {
    /// Takes a user out of a room, inside the transaction of the caller, who tells
    /// [`Lives::taken_out`] of it after the commit. Until the transaction ends the user's joins and
    /// leaves wait, in the room or not.
    ///
    /// # Errors
    /// The store's.
    pub async fn take_out(
        &self,
        tx: &Tx<'_>,
        live_id: &str,
        user_id: &str,
        now: DateTime<Utc>,
    ) -> Result<TakenOut, Error> {
        let events = self.free_place(tx, live_id, user_id, now).await?.unwrap_or_default();
        event::append_few(tx, &self.0.db, &events, now).await?;
        Ok(TakenOut(events))
    }

    /// Lets the cache follow a committed [`Lives::take_out`]. A join or a heartbeat that committed just
    /// before it may reach the cache after it, so that it follows once more when those have ended.
    pub async fn taken_out(&self, live_id: &str, user_id: &str, done: &TakenOut) {
        self.recount_seats(&done.0).await;
        self.leave_cache(live_id, user_id).await;
        if let Ok(room) = self.room(live_id).await {
            self.0.online.note(&room);
        }
        let (lives, live_id, user_id) = (self.clone(), live_id.to_owned(), user_id.to_owned());
        let leaving = async move {
            tokio::time::sleep(STRAGGLERS).await;
            lives.leave_cache_unless_back(&live_id, &user_id).await;
        };
        supervise::spawn_once("stragglers", context::carry(leaving));
    }

    async fn leave_cache_unless_back(&self, live_id: &str, user_id: &str) {
        let db = &self.0.db;
        match members::of_user(db, db.reader_for(true), user_id).await {
            Ok(Some(member)) if member.is_online && member.live_id == live_id => {}
            Ok(_) => self.leave_cache(live_id, user_id).await,
            Err(error) => {
                sampled!(warn, %error, live_id, "one who was taken out of a room may seem to be in it");
            }
        }
    }

    /// Gives up a user's place in a room, with the seat; answers what happened by it, or None for one
    /// who has no place there.
    pub(super) async fn free_place(
        &self,
        tx: &Tx<'_>,
        live_id: &str,
        user_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<(String, DomainEvent)>>, StoreError> {
        let found = members::lock_in_room(&self.0.db, tx, live_id, user_id).await?;
        let Some(member) = found else { return Ok(None) };
        let freed = self.free_seats(tx, &[Member::new(live_id, user_id)], now).await?;
        members::take_out(&self.0.db, tx, member.row_id, now).await?;
        Ok(Some(freed))
    }

    pub(super) async fn leave_cache(&self, live_id: &str, user_id: &str) {
        if let Err(error) = self.0.cache.leave(live_id, user_id).await {
            sampled!(warn, %error, live_id, "a leave could not be stored in the cache; silence makes up for it");
        }
    }
}

/// Finds a row if the user is banned from the room now.
pub(super) fn ban_on(live_id: &str, user_id: &str, now: DateTime<Utc>) -> SelectStatement {
    let theirs = Expr::col(Column::LiveId).eq(live_id).and(Expr::col(Column::UserId).eq(user_id));
    let is_on = Expr::col(Column::UntilMs).eq(0).or(Expr::col(Column::UntilMs).gt(now.timestamp_millis()));
    let mut ban = Query::select();
    ban.expr(Expr::val(1))
        .from(Entity)
        .and_where(theirs)
        .and_where(Expr::col(Column::Kind).eq(BAN))
        .and_where(is_on);
    ban
}
