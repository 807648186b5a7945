//! Writes likes to the database, and keeps those of live rooms in the cache.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::lease::LeaderLease;
use super::schedule::Job;
use crate::like::Likes;

/// Writes likes; before the first time, takes over what a QNLiveKit_Server did not write.
pub struct FlushLikes {
    likes: Likes,
    lease: Arc<LeaderLease>,
    has_adopted: bool,
}

impl FlushLikes {
    /// The job.
    #[must_use]
    pub fn new(likes: Likes, lease: Arc<LeaderLease>) -> Self {
        Self { likes, lease, has_adopted: false }
    }
}

#[async_trait]
impl Job for FlushLikes {
    fn name(&self) -> &'static str {
        "flush_likes"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn run(&mut self) -> anyhow::Result<u64> {
        if !self.has_adopted {
            match self.likes.adopt(self.lease.as_ref()).await {
                Ok(_) => self.has_adopted = true,
                // What this server has counted is written all the same.
                Err(error) => tracing::warn!(%error, "the likes of an old server are not taken over yet"),
            }
        }
        Ok(self.likes.flush(Some(self.lease.as_ref())).await?)
    }

    /// What came since the last run need not wait for the next leader.
    async fn finish(&mut self) {
        if !self.lease.is_leader() {
            return;
        }
        if let Err(error) = self.likes.flush(Some(self.lease.as_ref())).await {
            tracing::warn!(%error, "the last likes could not be written; the next leader does it");
        }
    }
}

/// Keeps the likes of live rooms in the cache.
pub struct KeepLikes {
    /// The likes.
    pub likes: Likes,
    /// Who leads.
    pub lease: Arc<LeaderLease>,
}

#[async_trait]
impl Job for KeepLikes {
    fn name(&self) -> &'static str {
        "keep_likes"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(3600)
    }

    async fn run(&mut self) -> anyhow::Result<u64> {
        Ok(self.likes.keep(self.lease.as_ref()).await?)
    }
}
