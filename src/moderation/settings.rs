//! How people may chat in a room.

use serde_json::json;

use super::actor::Actor;
use super::dto::{ChangeSettings, SettingsView};
use super::error::Error;
use super::queries;
use super::service::{Moderation, Parts};
use store::entity::live_chat_setting::Model;

impl Moderation {
    /// How people may chat in a room.
    ///
    /// # Errors
    /// When the room is unknown, or the store's.
    pub async fn settings(&self, live_id: &str) -> Result<SettingsView, Error> {
        self.0.parts.lives.room(live_id).await?;
        let rules = self.rules(live_id).await?;
        Ok(SettingsView { slow_mode_s: rules.slow_mode_s, is_muted: rules.is_muted })
    }

    /// Changes how people may chat in a room, and tells it.
    ///
    /// # Errors
    /// [`Error::NotModerator`], when the room is unknown, or the store's.
    pub async fn change_settings(
        &self,
        live_id: &str,
        actor: Actor<'_>,
        change: ChangeSettings,
    ) -> Result<SettingsView, Error> {
        let Parts { db, clock, lives, .. } = &self.0.parts;
        let now = db.wall(clock.now());
        let (before, after) = db
            .transaction(|tx| {
                Box::pin(async move {
                    let room = lives.lock_for(tx, live_id, None).await?;
                    let moderators = queries::moderators(tx, live_id).await?;
                    actor.role(&room.anchor_id, moderators.contains(actor.id()))?;
                    let before = view(queries::settings(tx, live_id).await?.as_ref());
                    let after = SettingsView {
                        slow_mode_s: change.slow_mode_s.unwrap_or(before.slow_mode_s),
                        is_muted: change.is_muted.unwrap_or(before.is_muted),
                    };
                    if after != before {
                        let slow_mode_s = i32::try_from(after.slow_mode_s).unwrap_or(i32::MAX);
                        let is_muted = after.is_muted;
                        let row =
                            Model { live_id: live_id.to_owned(), slow_mode_s, is_muted, updated_at: now };
                        queries::save_settings(tx, row).await?;
                    }
                    Ok::<_, Error>((before, after))
                })
            })
            .await?;
        if after != before {
            self.changed(live_id).await;
        }
        if after.slow_mode_s != before.slow_mode_s {
            let data = json!({"live_id": live_id, "seconds": after.slow_mode_s});
            self.tell(live_id, actor, "slow_mode", data).await;
        }
        if after.is_muted != before.is_muted {
            let data = json!({"live_id": live_id, "is_muted": after.is_muted});
            self.tell(live_id, actor, "room_muted", data).await;
        }
        Ok(after)
    }
}

fn view(row: Option<&Model>) -> SettingsView {
    row.map_or(SettingsView { slow_mode_s: 0, is_muted: false }, |row| SettingsView {
        slow_mode_s: u32::try_from(row.slow_mode_s).unwrap_or_default(),
        is_muted: row.is_muted,
    })
}
