//! Those who help the anchor of a room.

use serde_json::json;

use super::actor::{Actor, Role};
use super::dto::ModeratorView;
use super::error::Error;
use super::service::{Moderation, Parts};
use super::{queries, sanction_queries};
use common::page::{Page, Paging};
use store::entity::live_sanction::BAN;

/// As many as a room may have.
const MAX: usize = 100;

impl Moderation {
    /// A page of the moderators of a room, the first one first.
    ///
    /// # Errors
    /// When the room is unknown, or the store's.
    pub async fn list_moderators(&self, live_id: &str, paging: Paging) -> Result<Page<ModeratorView>, Error> {
        let Parts { db, lives, .. } = &self.0.parts;
        lives.room(live_id).await?;
        let (total, rows) = queries::page_of_moderators(db.primary(), live_id, paging).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.user_id.clone()).collect();
        let users = self.users_of(&ids).await?;
        let views = rows.into_iter().filter_map(|row| {
            let created_at = db.instant(row.created_at).timestamp();
            Some(ModeratorView::new(users.get(&row.user_id)?, row, created_at))
        });
        Ok(Page::new(paging, total, views.collect()))
    }

    /// Makes a user a moderator of a room, by its anchor; harmless when they are one.
    ///
    /// # Errors
    /// [`Error::NotAnchor`], [`Error::TargetIsAnchor`], [`Error::TargetIsBanned`], [`Error::Full`], when
    /// the room or the user is unknown, or the store's.
    pub async fn appoint(&self, live_id: &str, actor: Actor<'_>, user_id: &str) -> Result<(), Error> {
        let Parts { db, clock, lives, users, .. } = &self.0.parts;
        let now = clock.now();
        lives.room(live_id).await?;
        users.find(user_id).await?;
        let is_new = db
            .transaction(|tx| {
                Box::pin(async move {
                    let room = lives.lock_for(tx, live_id, None).await?;
                    let role = as_anchor(actor, &room.anchor_id)?;
                    if user_id == room.anchor_id {
                        return Err(Error::TargetIsAnchor);
                    }
                    let is_banned =
                        sanction_queries::is_there(tx, live_id, BAN, user_id, now.timestamp_millis());
                    if is_banned.await? {
                        return Err(Error::TargetIsBanned);
                    }
                    let moderators = queries::moderators(tx, live_id).await?;
                    if moderators.contains(user_id) {
                        return Ok(false);
                    }
                    if moderators.len() >= MAX {
                        return Err(Error::Full("100 moderators"));
                    }
                    let by = (actor.id(), role);
                    queries::insert_moderator(tx, live_id, user_id, by, db.wall(now)).await?;
                    Ok(true)
                })
            })
            .await?;
        if is_new {
            self.moderators_changed(live_id, actor, user_id, true).await;
        }
        Ok(())
    }

    /// A user is no moderator of a room any more, by its anchor; harmless when they are none.
    ///
    /// # Errors
    /// [`Error::NotAnchor`], when the room is unknown, or the store's.
    pub async fn dismiss(&self, live_id: &str, actor: Actor<'_>, user_id: &str) -> Result<(), Error> {
        let Parts { db, lives, .. } = &self.0.parts;
        let is_gone = db
            .transaction(|tx| {
                Box::pin(async move {
                    let room = lives.lock_for(tx, live_id, None).await?;
                    as_anchor(actor, &room.anchor_id)?;
                    Ok::<_, Error>(queries::delete_moderator(tx, live_id, user_id).await?)
                })
            })
            .await?;
        if is_gone {
            self.moderators_changed(live_id, actor, user_id, false).await;
        }
        Ok(())
    }

    async fn moderators_changed(&self, live_id: &str, actor: Actor<'_>, user_id: &str, is_moderator: bool) {
        self.changed(live_id).await;
        self.tell_moderator(live_id, actor, user_id, is_moderator).await;
    }

    pub(super) async fn tell_moderator(
        &self,
        live_id: &str,
        actor: Actor<'_>,
        user_id: &str,
        is_moderator: bool,
    ) {
        let data = json!({"live_id": live_id, "user_id": user_id, "is_moderator": is_moderator});
        self.tell(live_id, actor, "moderators", data).await;
    }
}

fn as_anchor(actor: Actor<'_>, anchor_id: &str) -> Result<Role, Error> {
    actor.role(anchor_id, false).map_err(|_| Error::NotAnchor)
}
