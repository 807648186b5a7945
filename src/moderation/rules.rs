//! What holds in a room, as it is kept in memory.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};

use super::refusal::Refusal;
use store::db::{Db, StoreError};
use store::entity::live_sanction::{BAN, MUTE};

/// What a user who may write has to keep to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatRules {
    /// At least so long between two messages of the user.
    pub slow: Option<Duration>,
}

/// What holds in a room. Ends of mutes and bans are compared with the clock each time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomRules {
    /// Those who help the anchor.
    pub moderators: HashSet<String>,
    /// Until when users are muted, in Unix milliseconds; 0 is forever.
    pub muted: HashMap<String, i64>,
    /// Until when users are banned, likewise.
    pub banned: HashMap<String, i64>,
    /// At least so many seconds between two messages of a user; 0 is off.
    pub slow_mode_s: u32,
    /// Whether only the anchor and moderators may write.
    pub is_muted: bool,
}

impl RoomRules {
    /// Whether a user may enter at that time.
    ///
    /// # Errors
    /// [`Refusal::Banned`].
    pub fn may_enter(&self, user_id: &str, now_ms: i64) -> Result<(), Refusal> {
        match end(&self.banned, user_id, now_ms) {
            Some(_) => Err(Refusal::Banned),
            None => Ok(()),
        }
    }

    /// Whether a user, who may be the anchor, may write at that time.
    ///
    /// # Errors
    /// [`Refusal::Banned`], [`Refusal::Muted`], [`Refusal::RoomMuted`].
    pub fn may_publish(&self, user_id: &str, is_anchor: bool, now_ms: i64) -> Result<ChatRules, Refusal> {
        if is_anchor {
            return Ok(ChatRules::default());
        }
        self.may_enter(user_id, now_ms)?;
        if let Some(left) = end(&self.muted, user_id, now_ms) {
            return Err(Refusal::Muted { retry_after: left });
        }
        if self.moderators.contains(user_id) {
            return Ok(ChatRules::default());
        }
        if self.is_muted {
            return Err(Refusal::RoomMuted);
        }
        let slow = (self.slow_mode_s > 0).then(|| Duration::from_secs(self.slow_mode_s.into()));
        Ok(ChatRules { slow })
    }
}

/// How long a sanction of the user still lasts, with None for ever; None when there is none any more.
fn end(sanctions: &HashMap<String, i64>, user_id: &str, now_ms: i64) -> Option<Option<Duration>> {
    match *sanctions.get(user_id)? {
        0 => Some(None),
        until => {
            let left = u64::try_from(until.saturating_sub(now_ms)).ok().filter(|&left| left > 0)?;
            Some(Some(Duration::from_millis(left)))
        }
    }
}

/// All of a room in one statement: what it is, whom it is about, and the value.
const SELECT: &str = "SELECT 0 AS kind, user_id, 0 AS value FROM live_moderator WHERE live_id = ? \
     UNION ALL SELECT kind, user_id, until_ms FROM live_sanction WHERE live_id = ? \
     UNION ALL SELECT 3, '', slow_mode_s FROM live_chat_setting WHERE live_id = ? \
     UNION ALL SELECT 4, '', is_muted FROM live_chat_setting WHERE live_id = ?";

/// The rules of a room; one without any has the default ones.
pub(super) async fn load(
    db: &Db,
    conn: &impl ConnectionTrait,
    live_id: &str,
) -> Result<Option<RoomRules>, StoreError> {
    let values = [live_id; 4].map(sea_orm::Value::from);
    let statement = Statement::from_sql_and_values(db.dialect().backend(), SELECT, values);
    let mut rules = RoomRules::default();
    for row in conn.query_all_raw(statement).await? {
        let (kind, value): (i64, i64) = (row.try_get("", "kind")?, row.try_get("", "value")?);
        let user_id: String = row.try_get("", "user_id")?;
        match kind {
            0 => _ = rules.moderators.insert(user_id),
            3 => rules.slow_mode_s = u32::try_from(value).unwrap_or_default(),
            4 => rules.is_muted = value != 0,
            kind if kind == i64::from(MUTE) => _ = rules.muted.insert(user_id, value),
            kind if kind == i64::from(BAN) => _ = rules.banned.insert(user_id, value),
            // Of a newer version.
            _ => {}
        }
    }
    Ok(Some(rules))
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::failure::Failure;

    fn rules() -> RoomRules {
        RoomRules {
            moderators: ["mod".to_owned()].into(),
            muted: [("quiet".to_owned(), 5000), ("silent".to_owned(), 0), ("mod".to_owned(), 3000)].into(),
            banned: [("out".to_owned(), 5000)].into(),
            slow_mode_s: 7,
            is_muted: false,
        }
    }

    #[test]
    fn sanctions_end_by_the_clock() {
        let rules = rules();
        let muted = rules.may_publish("quiet", false, 4999).expect_err("muted");
        assert_eq!(muted.retry_after(), Some(Duration::from_millis(1)));
        assert!(rules.may_publish("quiet", false, 5000).is_ok());
        let muted = rules.may_publish("silent", false, i64::MAX).expect_err("muted");
        assert!(matches!(muted, Refusal::Muted { retry_after: None }));
        assert!(matches!(rules.may_publish("out", false, 4999), Err(Refusal::Banned)));
        assert!(matches!(rules.may_enter("out", 4999), Err(Refusal::Banned)));
        assert!(rules.may_enter("out", 5000).is_ok());
    }

    #[test]
    fn moderators_and_the_anchor_are_exempt_from_what_holds_for_all() {
        let slow = ChatRules { slow: Some(Duration::from_secs(7)) };
        assert_eq!(rules().may_publish("guest", false, 9000).ok(), Some(slow));
        let muted = RoomRules { is_muted: true, ..rules() };
        assert!(matches!(muted.may_publish("guest", false, 9000), Err(Refusal::RoomMuted)));
        assert_eq!(muted.may_publish("mod", false, 9000).ok(), Some(ChatRules::default()));
        assert_eq!(muted.may_publish("anchor", true, 9000).ok(), Some(ChatRules::default()));
        // A mute of their own holds for a moderator too.
        assert!(matches!(muted.may_publish("mod", false, 2000), Err(Refusal::Muted { .. })));
    }
}
