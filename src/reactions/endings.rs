//! What ends when a live ends, or when its anchor leaves.

use async_trait::async_trait;

use super::{Reaction, ReactionError};
use crate::event::{DomainEvent, StoredEvent};
use crate::item::Items;
use crate::relay::Relays;

/// The PK of a room ends with its live.
pub struct PkEnds(pub Relays);

#[async_trait]
impl Reaction for PkEnds {
    fn name(&self) -> &'static str {
        "pk_ends"
    }

    async fn react(&self, event: &StoredEvent) -> Result<(), ReactionError> {
        match event.event {
            Some(DomainEvent::LiveStopped { .. } | DomainEvent::LiveDeleted) => {
                Ok(self.0.room_ended(&event.live_id).await?)
            }
            _ => Ok(()),
        }
    }
}

/// The explanation of an item ends with the live, and when the anchor leaves; not one that began after
/// that.
pub struct DemonstrationEnds(pub Items);

#[async_trait]
impl Reaction for DemonstrationEnds {
    fn name(&self) -> &'static str {
        "demonstration_ends"
    }

    async fn react(&self, event: &StoredEvent) -> Result<(), ReactionError> {
        match event.event {
            Some(DomainEvent::AnchorLeft | DomainEvent::LiveStopped { .. } | DomainEvent::LiveDeleted) => {
                Ok(self.0.end_demonstration(&event.live_id, event.seq).await?)
            }
            _ => Ok(()),
        }
    }
}
