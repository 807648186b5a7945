//! The review of a live begins and ends with it.

use async_trait::async_trait;

use super::{Reaction, ReactionError};
use crate::censor::Reviews;
use crate::event::{DomainEvent, StoredEvent};

/// Starts and ends review jobs. What fails is made good by [`crate::jobs::review_jobs`].
pub struct ReviewFollows(pub Reviews);

#[async_trait]
impl Reaction for ReviewFollows {
    fn name(&self) -> &'static str {
        "review_follows"
    }

    async fn react(&self, event: &StoredEvent) -> Result<(), ReactionError> {
        match event.event {
            Some(DomainEvent::LiveStarted) => self.0.live_started(&event.live_id).await,
            Some(DomainEvent::LiveStopped { .. }) => self.0.live_ended(&event.live_id).await,
            _ => {}
        }
        Ok(())
    }
}
