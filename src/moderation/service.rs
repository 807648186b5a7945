//! What a message has to pass, and what all of moderation shares.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::actor::Actor;
use super::error::Error;
use super::refusal::Refusal;
use super::rules::{self, ChatRules, RoomRules};
use super::words::BannedWords;
use crate::live::Lives;
use crate::user::{User, Users};
use common::clock::SharedClock;
use realtime::orders::Orders;
use store::cache::Cache;
use store::db::Db;
use store::lookup::{Lookup, SharedError};
use telemetry::sampled;

/// The topic under which changes in rooms are announced to all nodes.
pub const TOPIC: &str = "moderation";

/// How long the rules of a room may be answered from memory; changes drop them on every node at once.
const LOOKUP_TTL: Duration = Duration::from_secs(30);
const LOOKUP_CAPACITY: u64 = 20_000;

/// What moderation is made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The cache.
    pub cache: Cache,
    /// The clock.
    pub clock: SharedClock,
    /// The rooms.
    pub lives: Lives,
    /// The users.
    pub users: Users,
    /// The connections.
    pub orders: Arc<dyn Orders>,
    /// What nobody may write.
    pub words: BannedWords,
}

/// The moderation of rooms; clones share everything.
#[derive(Clone)]
pub struct Moderation(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub parts: Parts,
    rules: Lookup<RoomRules>,
}

impl Moderation {
    /// Moderation made of `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner { parts, rules: Lookup::new(LOOKUP_CAPACITY, LOOKUP_TTL) }))
    }

    /// The banned words.
    #[must_use]
    pub fn words(&self) -> &BannedWords {
        &self.0.parts.words
    }

    /// Whether a user may publish `text` ([`super::texts_of`] a message) in a room, and at which pace.
    /// Answered from memory, where the room and its rules are known.
    ///
    /// # Errors
    /// Why not.
    pub async fn may_publish(&self, live_id: &str, user_id: &str, text: &str) -> Result<ChatRules, Refusal> {
        let Parts { clock, lives, .. } = &self.0.parts;
        let is_anchor = lives.room(live_id).await?.anchor_id == user_id;
        let rules = self.rules(live_id).await?.may_publish(user_id, is_anchor, clock.now_ms())?;
        self.may_say(text).await?;
        Ok(rules)
    }

    /// Whether anybody may publish `text` anywhere. Answered from memory.
    ///
    /// # Errors
    /// [`Refusal::BannedWord`], or the store's.
    pub async fn may_say(&self, text: &str) -> Result<(), Refusal> {
        if self.words().are_in(text).await? { Err(Refusal::BannedWord) } else { Ok(()) }
    }

    /// Whether a user may enter a room, or go on in it.
    ///
    /// # Errors
    /// [`Refusal::Banned`], or the store's.
    pub async fn may_enter(&self, live_id: &str, user_id: &str) -> Result<(), Refusal> {
        self.rules(live_id).await?.may_enter(user_id, self.0.parts.clock.now_ms())
    }

    /// What holds in a room.
    ///
    /// # Errors
    /// The store's.
    pub async fn rules(&self, live_id: &str) -> Result<Arc<RoomRules>, SharedError> {
        let db = &self.0.parts.db;
        let found = self.0.rules.get(live_id, rules::load(db, db.reader_for(true), live_id)).await?;
        Ok(found.unwrap_or_default())
    }

    /// Whether an actor may look at the moderation of a room, or act on its messages.
    ///
    /// # Errors
    /// [`Error::NotModerator`], or the store's.
    pub(super) async fn check_role(&self, live_id: &str, actor: Actor<'_>) -> Result<(), Error> {
        let room = self.0.parts.lives.room(live_id).await?;
        let rules = self.rules(live_id).await?;
        actor.role(&room.anchor_id, rules.moderators.contains(actor.id()))?;
        Ok(())
    }

    /// Deletes a message of a room.
    ///
    /// # Errors
    /// [`Error::NotModerator`], [`Error::NoMessage`] for one that is not kept, or the store's.
    pub async fn delete_message(
        &self,
        live_id: &str,
        actor: Actor<'_>,
        epoch: u64,
        offset: u64,
    ) -> Result<(), Error> {
        self.check_role(live_id, actor).await?;
        if !self.0.parts.orders.delete_message(live_id, epoch, offset).await? {
            return Err(Error::NoMessage);
        }
        let data =
            serde_json::json!({"live_id": live_id, "epoch": format!("{epoch:016x}"), "offset": offset});
        self.tell(live_id, actor, "deleted", data).await;
        Ok(())
    }

    pub(super) async fn tell(&self, live_id: &str, actor: Actor<'_>, action: &str, data: Value) {
        self.0.parts.orders.tell_room(live_id, actor.sender(), action, data).await;
    }

    /// The users of these ids; those whose row is gone have an id alone.
    pub(super) async fn users_of(&self, ids: &[String]) -> Result<HashMap<String, Arc<User>>, Error> {
        let found = self.0.parts.users.list(ids).await?;
        let mut users: HashMap<_, _> = found.into_iter().map(|user| (user.user_id.clone(), user)).collect();
        for id in ids {
            users.entry(id.clone()).or_insert_with(|| Arc::new(User::unknown(id)));
        }
        Ok(users)
    }

    pub(super) async fn changed(&self, live_id: &str) {
        self.0.rules.forget(live_id).await;
        if let Err(error) = self.0.parts.cache.announce(TOPIC, live_id).await {
            sampled!(warn, %error, live_id, "other nodes may moderate a room as before for {} s", LOOKUP_TTL.as_secs());
        }
    }

    /// Drops what is remembered of a room, or of all.
    pub async fn forget(&self, live_id: Option<&str>) {
        match live_id {
            Some(id) => self.0.rules.forget(id).await,
            None => self.0.rules.forget_all(),
        }
    }
}
