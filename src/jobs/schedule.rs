//! Runs jobs on the leader, each at its own pace, and measures every run.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use prometheus::{GaugeVec, HistogramOpts, HistogramVec, Opts, Registry};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::lease::LeaderLease;
use common::request_id::RequestId;
use common::supervise;
use telemetry::context;
use telemetry::report::{JOB_EVERY, JOB_LAST_AT, JOB_LAST_IS_OK, JOB_LAST_TOOK, JOB_RUNS};
use telemetry::span::Span;

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
    metrics: Metrics,
    stop: CancellationToken,
    running: TaskTracker,
}

/// What is measured of runs, by job.
#[derive(Clone)]
struct Metrics {
    seconds: HistogramVec,
    every: GaugeVec,
    last_at: GaugeVec,
    last_took: GaugeVec,
    last_is_ok: GaugeVec,
}

impl Metrics {
    fn register(registry: &Registry) -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str| {
            let gauge = GaugeVec::new(Opts::new(name, help), &["task"])?;
            registry.register(Box::new(gauge.clone()))?;
            prometheus::Result::Ok(gauge)
        };
        let help = "Time of a run of a job on the leader, in seconds, by job and result (ok, error).";
        let seconds = HistogramVec::new(HistogramOpts::new(JOB_RUNS, help), &["task", "result"])?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self {
            seconds,
            every: gauge(JOB_EVERY, "From the start of one run of a job to the next, in seconds.")?,
            last_at: gauge(
                JOB_LAST_AT,
                "When the last run of a job on this node ended, Unix seconds; 0 before the first.",
            )?,
            last_took: gauge(JOB_LAST_TOOK, "Time of the last run of a job on this node, in seconds.")?,
            last_is_ok: gauge(
                JOB_LAST_IS_OK,
                "0 when the last run of a job on this node failed, else 1; 1 before the first.",
            )?,
        })
    }

    /// Shows a job before its first run.
    fn announce(&self, job: &impl Job) {
        self.every.with_label_values(&[job.name()]).set(job.every().as_secs_f64());
        for gauge in [&self.last_at, &self.last_took] {
            gauge.with_label_values(&[job.name()]).set(0.0);
        }
        self.last_is_ok.with_label_values(&[job.name()]).set(1.0);
        for result in ["ok", "error"] {
            self.seconds.with_label_values(&[job.name(), result]);
        }
    }

    fn ran(&self, job: &str, took: Duration, is_ok: bool) {
        let result = if is_ok { "ok" } else { "error" };
        self.seconds.with_label_values(&[job, result]).observe(took.as_secs_f64());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_at.with_label_values(&[job]).set(now.as_secs_f64());
        self.last_took.with_label_values(&[job]).set(took.as_secs_f64());
        self.last_is_ok.with_label_values(&[job]).set(f64::from(u8::from(is_ok)));
    }
}

impl Schedule {
    /// A schedule that runs jobs while `lease` is held, until `stop`.
    ///
    /// Registers `liveloom_job_seconds{task, result}`: how long each run took and how it ended; and gauges
    /// of each job's pace and last run.
    ///
    /// # Errors
    /// When the registry holds that name already.
    pub fn new(
        lease: Arc<LeaderLease>,
        registry: &Registry,
        stop: CancellationToken,
    ) -> prometheus::Result<Self> {
        Ok(Self { lease, metrics: Metrics::register(registry)?, stop, running: TaskTracker::new() })
    }

    /// Starts a job. A node that becomes the leader runs it at once, however seldom it is due. A run that
    /// panics has failed, as one that ends with an error: the job runs again at its next tick.
    pub fn start(&self, mut job: impl Job) {
        let (lease, metrics, stop) = (Arc::clone(&self.lease), self.metrics.clone(), self.stop.clone());
        metrics.announce(&job);
        let name = job.name();
        let runs = async move {
            let mut ticks = tokio::time::interval(job.every());
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut term = lease.term();
            let mut due = async || {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = next_term(&mut term) => ticks.reset(),
                }
            };
            while stop.run_until_cancelled(due()).await.is_some() {
                if let Some(_run) = lease.begin_run() {
                    let id = RequestId::generate().shared();
                    let span = Span::internal(job.name());
                    context::within_span(id, span.as_parent(), run(&mut job, &metrics, span)).await;
                }
            }
            job.finish().await;
        };
        self.running.spawn(supervise::until(name, &self.stop, runs));
    }

    /// Waits until the runs under way, and what they left, have ended; `stop` must have been called.
    pub async fn finish(self) {
        self.running.close();
        self.running.wait().await;
    }
}

/// Waits until this node leads under another token than before.
async fn next_term(term: &mut watch::Receiver<Option<i64>>) {
    loop {
        if term.changed().await.is_err() {
            return std::future::pending().await;
        }
        if term.borrow_and_update().is_some() {
            return;
        }
    }
}

async fn run(job: &mut impl Job, metrics: &Metrics, mut span: Span) {
    let started = Instant::now();
    tracing::debug!(task = job.name(), "job begins");
    let result = match supervise::catch(job.name(), job.run()).await {
        Ok(result) => result,
        Err(panicked) => Err(panicked.into()),
    };
    tracing::debug!(task = job.name(), is_ok = result.is_ok(), "job ended");
    metrics.ran(job.name(), started.elapsed(), result.is_ok());
    match result {
        Ok(0) => {}
        Ok(done) => tracing::info!(job = job.name(), done, "job run"),
        Err(error) => {
            span.fail();
            tracing::warn!(job = job.name(), error = format!("{error:#}"), "job run failed");
        }
    }
}
