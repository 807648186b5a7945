//! Work that time drives: a schedule, the lease that says who does it, and one file per job.

pub mod anchors;
pub mod expiry;
pub mod lease;
pub mod likes;
pub mod metrics_collector;
mod on_leader;
pub mod presence;
pub mod review_jobs;
pub mod schedule;
pub mod settle_gifts;
pub mod viewers;
