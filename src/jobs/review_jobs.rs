//! Makes good what failed with the jobs of the review service.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::lease::LeaderLease;
use super::schedule::Job;
use crate::censor::Reviews;

/// From one run to the next: how long a live may be without a review after a failure.
const EVERY: Duration = Duration::from_secs(5);

/// The job.
pub struct ReviewJobs {
    /// The content review.
    pub reviews: Reviews,
    /// Who leads.
    pub lease: Arc<LeaderLease>,
}

#[async_trait]
impl Job for ReviewJobs {
    fn name(&self) -> &'static str {
        "review_jobs"
    }

    fn every(&self) -> Duration {
        EVERY
    }

    async fn run(&mut self) -> anyhow::Result<u64> {
        Ok(self.reviews.repair(self.lease.as_ref()).await?)
    }
}
