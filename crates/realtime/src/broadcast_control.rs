//! Control of the connections of all nodes, by announcements of the cache.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::channel::{Channel, Kind};
use super::control::{ConnectionControl, ControlError, KeptMessage};
use super::message::{Draft, json_of};
use super::service::Hub;
use store::broker::{Epoch, Position, RateLimits};
use store::cache::Cache;
use telemetry::sampled;

/// The topic under which commands to connections are announced.
pub const TOPIC: &str = "order";

/// Controls connections by announcing commands; the node that announces one hears it, too. Cheap to clone.
#[derive(Clone)]
pub struct BroadcastControl {
    hub: Hub,
    cache: Cache,
}

/// A command to connections, as it is announced.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    Kick { live_id: String, user_id: String, code: u16, why: String },
    Disconnect { user_id: String },
}

impl BroadcastControl {
    /// Control of the connections of `hub`, and of all hubs whose nodes share `cache`.
    #[must_use]
    pub fn new(hub: Hub, cache: Cache) -> Self {
        Self { hub, cache }
    }

    async fn announce(&self, order: &Order) {
        let Ok(text) = serde_json::to_string(order) else { return };
        if let Err(error) = self.cache.announce(TOPIC, &text).await {
            // Each node compares its connections with the tables every few seconds.
            sampled!(warn, %error, "other nodes are not told whom to let go, and find out by themselves");
            self.hub.apply(&text);
        }
    }
}

impl Hub {
    /// Carries out a command that was announced under [`TOPIC`].
    pub fn apply(&self, announced: &str) {
        match serde_json::from_str(announced) {
            Ok(Order::Kick { live_id, user_id, code, why }) => {
                self.unsubscribe_user(&Channel::new(Kind::Room, &live_id), &user_id, code, &why);
            }
            Ok(Order::Disconnect { user_id }) => self.disconnect_user(&user_id),
            // A newer version may know more commands.
            Err(error) => tracing::debug!(%error, "an order that is not understood"),
        }
    }
}

#[async_trait]
impl ConnectionControl for BroadcastControl {
    async fn kick(&self, live_id: &str, user_id: &str, code: u16, why: &str) {
        let (live_id, user_id) = (live_id.to_owned(), user_id.to_owned());
        self.announce(&Order::Kick { live_id, user_id, code, why: why.to_owned() }).await;
    }

    async fn disconnect(&self, user_id: &str, _: &str) {
        self.announce(&Order::Disconnect { user_id: user_id.to_owned() }).await;
    }

    async fn tell_room(&self, live_id: &str, from: &str, action: &str, data: Value) {
        let Ok(data) = serde_json::value::to_raw_value(&data) else { return };
        let draft = Draft { from, action, data: &data };
        let channel = Channel::new(Kind::Room, live_id);
        if let Err(error) = self.hub.publish(&channel, &draft, RateLimits::default()).await {
            sampled!(warn, %error, live_id, action, "a room was not told");
        }
    }

    async fn delete_message(&self, live_id: &str, epoch: u64, offset: u64) -> Result<bool, ControlError> {
        let position = Position { epoch: Epoch(epoch), offset };
        Ok(self.hub.delete(&Channel::new(Kind::Room, live_id), position).await?)
    }

    async fn kept_messages(&self, live_id: &str, limit: usize) -> Result<Vec<KeptMessage>, ControlError> {
        let history = self.hub.history(&Channel::new(Kind::Room, live_id), None, limit).await?;
        let epoch = history.position.epoch.0;
        let newest = history.publications.iter().rev().filter_map(|publication| {
            let body = RawValue::from_string(json_of(publication)).ok()?;
            Some(KeptMessage { epoch, offset: publication.offset, at_ms: publication.at_ms, body })
        });
        Ok(newest.collect())
    }
}
