//! The built-in provider's way to those who are connected: the channels of the hub.

use async_trait::async_trait;

use super::{ImError, Message, Outlet, Target};
use crate::hub::{Channel, Draft, Hub, Kind};
use crate::store::broker::Pace;

#[async_trait]
impl Outlet for Hub {
    /// What the server itself has to say is never held back.
    async fn deliver(&self, message: Message) -> Result<(), ImError> {
        let channel = match &message.to {
            Target::User(account) => Channel::new(Kind::User, &account.user_id),
            Target::Room { live_id, .. } => Channel::new(Kind::Room, live_id),
        };
        let from = message.from.as_ref().map_or("", |account| account.user_id.as_str());
        let draft = Draft { from, action: &message.action, data: &message.data };
        self.publish(&channel, &draft, Pace::default()).await?;
        Ok(())
    }
}
