//! Runs jobs on the leader, each at its own pace, and measures every run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use prometheus::{HistogramOpts, HistogramVec, Registry};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::lease::LeaderLease;

/// One kind of work that the leader does again and again.
#[async_trait]
pub trait Job: Send + 'static {
    /// The `job` label of its metrics.
    fn name(&self) -> &'static str;

    /// From the start of one run to the start of the next.
    fn every(&self) -> Duration;

    /// One run; answers how much was done.
    async fn run(&mut self) -> anyhow::Result<u64>;

    /// After the last run: waits for what it left under way.
    async fn finish(&mut self) {}
}

/// Starts jobs and stops them.
pub struct Schedule {
    lease: Arc<LeaderLease>,
    seconds: HistogramVec,
    stop: CancellationToken,
    running: TaskTracker,
}

impl Schedule {
    /// A schedule that runs jobs while `lease` is held, until `stop`.
    ///
    /// Registers `liveloom_job_seconds{job, result}`: how long each run took and how it ended.
    ///
    /// # Errors
    /// When the registry holds that name already.
    pub fn new(
        lease: Arc<LeaderLease>,
        registry: &Registry,
        stop: CancellationToken,
    ) -> prometheus::Result<Self> {
        let help = "Time of a run of a job on the leader, in seconds, by job and result (ok, error).";
        let seconds =
            HistogramVec::new(HistogramOpts::new("liveloom_job_seconds", help), &["job", "result"])?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self { lease, seconds, stop, running: TaskTracker::new() })
    }

    /// Starts a job.
    pub fn start(&self, mut job: impl Job) {
        let (lease, seconds, stop) = (Arc::clone(&self.lease), self.seconds.clone(), self.stop.clone());
        self.running.spawn(async move {
            let mut ticks = tokio::time::interval(job.every());
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                if lease.is_leader() {
                    run(&mut job, &seconds).await;
                }
            }
            job.finish().await;
        });
    }

    /// Waits until the runs under way, and what they left, have ended; `stop` must have been called.
    pub async fn finish(self) {
        self.running.close();
        self.running.wait().await;
    }
}

async fn run(job: &mut impl Job, seconds: &HistogramVec) {
    let started = Instant::now();
    let result = job.run().await;
    let label = if result.is_ok() { "ok" } else { "error" };
    seconds.with_label_values(&[job.name(), label]).observe(started.elapsed().as_secs_f64());
    match result {
        Ok(0) => {}
        Ok(done) => tracing::info!(job = job.name(), done, "job run"),
        Err(error) => tracing::warn!(job = job.name(), error = format!("{error:#}"), "job run failed"),
    }
}
