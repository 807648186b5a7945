//! The built-in provider's way to those who are connected: the channels of the hub.

use std::sync::Arc;

use async_trait::async_trait;

use super::{ImError, Message, Outlet, Target};
use realtime::orders::Orders;
use realtime::{Channel, Draft, Hub, Kind};
use store::broker::Pace;

/// Delivers to the connections of all nodes.
pub struct HubOutlet {
    hub: Hub,
    orders: Arc<dyn Orders>,
}

impl HubOutlet {
    /// An outlet that publishes by `hub`, and whose connections take `orders`.
    #[must_use]
    pub fn new(hub: Hub, orders: Arc<dyn Orders>) -> Self {
        Self { hub, orders }
    }
}

#[async_trait]
impl Outlet for HubOutlet {
    /// What the server itself has to say is never held back.
    async fn deliver(&self, message: Message) -> Result<(), ImError> {
        let channel = match &message.to {
            Target::User(account) => Channel::new(Kind::User, &account.user_id),
            Target::Room { live_id, .. } => Channel::new(Kind::Room, live_id),
        };
        let from = message.from.as_ref().map_or("", |account| account.user_id.as_str());
        let draft = Draft { from, action: &message.action, data: &message.data };
        self.hub.publish(&channel, &draft, Pace::default()).await?;
        Ok(())
    }

    async fn take_out(&self, live_id: &str, user_id: &str) {
        self.orders.kick(live_id, user_id, 403, "you are not in the room").await;
    }
}
