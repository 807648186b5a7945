//! Mutes, bans and kicks in a room.

use std::time::Duration;

use serde_json::json;

use super::actor::{Actor, Role};
use super::dto::SanctionView;
use super::error::Error;
use super::service::{Moderation, Parts};
use super::{queries, sanction_queries};
use crate::live::TakenOut;
use crate::user::{end_in_seconds, end_of};
use common::page::{Page, Paging};
use store::db::Tx;
use store::entity::live_sanction::{BAN, MUTE, Model};

/// As many mutes and bans as a room may have.
const MAX: u64 = 10_000;
/// The code of the HTTP API that ended subscriptions are told.
const FORBIDDEN: u16 = 403;

/// What is imposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The user may not write.
    Mute,
    /// The user may not enter.
    Ban,
}

impl Kind {
    fn column(self) -> i32 {
        match self {
            Self::Mute => MUTE,
            Self::Ban => BAN,
        }
    }
}

/// A mute or a ban to impose.
#[derive(Clone, Debug, Default)]
pub struct NewSanction {
    /// How long; None is forever.
    pub duration: Option<Duration>,
    /// Why; may be empty. The user is told.
    pub reason: String,
}

/// What a ban did besides.
#[derive(Default)]
struct Banned {
    taken_out: TakenOut,
    was_moderator: bool,
}

impl Moderation {
    /// Imposes a mute or a ban, instead of one that there is. One who is banned leaves the room at once,
    /// and moderates it no more.
    ///
    /// # Errors
    /// What [`Actor::role_against`] says, [`Error::Full`], when the room or the user is unknown, or the
    /// store's.
    pub async fn impose(
        &self,
        kind: Kind,
        live_id: &str,
        actor: Actor<'_>,
        user_id: &str,
        new: &NewSanction,
    ) -> Result<(), Error> {
        let Parts { clock, lives, users, .. } = &self.0.parts;
        let until_ms = end_of(new.duration, clock.now());
        lives.room(live_id).await?;
        users.find(user_id).await?;
        let banned = self.store(kind, live_id, actor, user_id, until_ms, &new.reason).await?;
        self.changed(live_id).await;
        let data = json!({"live_id": live_id, "user_id": user_id, "until": end_in_seconds(until_ms)});
        match kind {
            Kind::Mute => self.tell(live_id, actor, "muted", data).await,
            Kind::Ban => {
                self.put_out(
                    live_id,
                    user_id,
                    &banned.taken_out,
                    "you are banned from this room",
                    &new.reason,
                )
                .await;
                self.tell(live_id, actor, "banned", data).await;
                if banned.was_moderator {
                    self.tell_moderator(live_id, actor, user_id, false).await;
                }
            }
        }
        Ok(())
    }

    async fn store(
        &self,
        kind: Kind,
        live_id: &str,
        actor: Actor<'_>,
        user_id: &str,
        until_ms: i64,
        reason: &str,
    ) -> Result<Banned, Error> {
        let Parts { db, clock, lives, .. } = &self.0.parts;
        let now = clock.now();
        db.transaction(|tx| {
            Box::pin(async move {
                let role = self.lock_against(tx, live_id, actor, user_id).await?;
                let mut banned = Banned::default();
                if kind == Kind::Ban {
                    banned.taken_out = lives.take_out(tx, live_id, user_id, now).await?;
                    banned.was_moderator = queries::delete_moderator(tx, live_id, user_id).await?;
                }
                let row = Model {
                    id: 0,
                    live_id: live_id.to_owned(),
                    kind: kind.column(),
                    user_id: user_id.to_owned(),
                    until_ms,
                    reason: reason.to_owned(),
                    by_user: actor.id().to_owned(),
                    by_role: role.name().to_owned(),
                    created_at: db.wall(now),
                };
                sanction_queries::save(tx, row).await?;
                if sanction_queries::purge_and_count(tx, live_id, now.timestamp_millis()).await? > MAX {
                    return Err(Error::Full("10,000 mutes and bans in the room"));
                }
                Ok(banned)
            })
        })
        .await
    }

    /// Ends a mute or a ban; harmless when there is none.
    ///
    /// # Errors
    /// What [`Actor::role_against`] says, when the room is unknown, or the store's.
    pub async fn lift(
        &self,
        kind: Kind,
        live_id: &str,
        actor: Actor<'_>,
        user_id: &str,
    ) -> Result<(), Error> {
        let Parts { db, clock, .. } = &self.0.parts;
        let now_ms = clock.now_ms();
        let was_on = db
            .transaction(|tx| {
                Box::pin(async move {
                    self.lock_against(tx, live_id, actor, user_id).await?;
                    let was_on =
                        sanction_queries::delete(tx, live_id, kind.column(), user_id, now_ms).await?;
                    Ok::<_, Error>(was_on)
                })
            })
            .await?;
        self.changed(live_id).await;
        if was_on && kind == Kind::Mute {
            let data = json!({"live_id": live_id, "user_id": user_id});
            self.tell(live_id, actor, "unmuted", data).await;
        }
        Ok(())
    }

    /// Takes a user out of a room; they may come back.
    ///
    /// # Errors
    /// What [`Actor::role_against`] says, when the room or the user is unknown, or the store's.
    pub async fn kick(
        &self,
        live_id: &str,
        actor: Actor<'_>,
        user_id: &str,
        reason: &str,
    ) -> Result<(), Error> {
        let Parts { db, clock, lives, users, .. } = &self.0.parts;
        let now = clock.now();
        lives.room(live_id).await?;
        users.find(user_id).await?;
        let taken_out = db
            .transaction(|tx| {
                Box::pin(async move {
                    self.lock_against(tx, live_id, actor, user_id).await?;
                    Ok::<_, Error>(lives.take_out(tx, live_id, user_id, now).await?)
                })
            })
            .await?;
        self.put_out(live_id, user_id, &taken_out, "you were taken out of this room", reason).await;
        let data = json!({"live_id": live_id, "user_id": user_id});
        self.tell(live_id, actor, "kicked", data).await;
        Ok(())
    }

    /// Locks a room for one who acts on a user in it; the role in which they do.
    async fn lock_against(
        &self,
        tx: &Tx<'_>,
        live_id: &str,
        actor: Actor<'_>,
        user_id: &str,
    ) -> Result<Role, Error> {
        let room = self.0.parts.lives.lock_for(tx, live_id, None).await?;
        let moderators = queries::moderators(tx, live_id).await?;
        actor.role_against(user_id, &room.anchor_id, &moderators)
    }

    /// What follows once a user's place in a room is gone.
    async fn put_out(&self, live_id: &str, user_id: &str, done: &TakenOut, what: &str, reason: &str) {
        let Parts { lives, control, .. } = &self.0.parts;
        lives.taken_out(live_id, user_id, done).await;
        let why = if reason.is_empty() { what.to_owned() } else { format!("{what}: {reason}") };
        control.kick(live_id, user_id, FORBIDDEN, &why).await;
    }

    /// A page of the mutes or bans that hold in a room, the latest first.
    ///
    /// # Errors
    /// [`Error::NotModerator`], when the room is unknown, or the store's.
    pub async fn list_sanctions(
        &self,
        kind: Kind,
        live_id: &str,
        actor: Actor<'_>,
        paging: Paging,
    ) -> Result<Page<SanctionView>, Error> {
        self.check_role(live_id, actor).await?;
        let Parts { db, clock, .. } = &self.0.parts;
        let (conn, now_ms) = (db.primary(), clock.now_ms());
        let (total, rows) = sanction_queries::page(conn, live_id, kind.column(), now_ms, paging).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.user_id.clone()).collect();
        let users = self.users_of(&ids).await?;
        let views = rows.into_iter().filter_map(|row| {
            let created_at = db.instant(row.created_at).timestamp();
            Some(SanctionView::new(users.get(&row.user_id)?, row, created_at))
        });
        Ok(Page::new(paging, total, views.collect()))
    }
}
