//! What a node counts, read from its metrics: a few numbers that other nodes can show.

use std::collections::BTreeMap;

use prometheus::Registry;
use prometheus::proto::{Metric, MetricFamily};
use serde::{Deserialize, Serialize};

use super::process::{self, Usage};

/// Name of the gauge of a job's pace, in seconds.
pub const JOB_EVERY: &str = "liveloom_job_interval_seconds";
/// Name of the gauge of the end of a job's last run, Unix seconds; 0: it has not run.
pub const JOB_LAST_AT: &str = "liveloom_job_last_run_timestamp_seconds";
/// Name of the gauge of how long a job's last run took, in seconds.
pub const JOB_LAST_TOOK: &str = "liveloom_job_last_run_seconds";
/// Name of the gauge of whether a job's last run was good.
pub const JOB_LAST_IS_OK: &str = "liveloom_job_last_run_ok";
/// Name of the histogram of a job's runs, by result.
pub const JOB_RUNS: &str = "liveloom_job_seconds";

/// What a node counts since its start. What an older node does not tell is 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeReport {
    /// Start of the process, Unix seconds.
    pub started_at: u64,
    /// CPU time of the process.
    pub cpu_seconds: f64,
    /// Resident memory of the process.
    pub memory_bytes: u64,
    /// Open WebSocket connections.
    pub connections: u64,
    /// HTTP requests answered.
    pub requests: u64,
    /// Messages published.
    pub messages: u64,
    /// Messages handed to connections.
    pub deliveries: u64,
    /// Gifts that were found to be paid.
    pub gifts: u64,
    /// Likes counted.
    pub likes: u64,
    /// Its jobs, by name.
    pub jobs: Vec<JobReport>,
}

/// What a node tells of one job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobReport {
    /// Its name.
    pub name: String,
    /// From the start of one run to the start of the next.
    pub every_ms: u64,
    /// When the last run ended, Unix milliseconds.
    pub last_at_ms: Option<u64>,
    /// How long it took.
    pub last_took_ms: u64,
    /// Whether it was good.
    pub last_is_ok: bool,
    /// Runs.
    pub runs: u64,
    /// Runs that failed.
    pub failures: u64,
}

impl NodeReport {
    /// What this process counts in `registry`.
    #[must_use]
    pub fn gather(registry: &Registry) -> Self {
        let families = Families(registry.gather());
        let Usage { started_at, cpu_seconds, memory_bytes } = process::usage();
        Self {
            started_at,
            cpu_seconds,
            memory_bytes,
            connections: whole(families.value("liveloom_realtime_connections")),
            requests: families.of("qnlive_http_api").iter().map(samples).sum(),
            messages: whole(families.value("liveloom_realtime_published_total")),
            deliveries: whole(families.value("liveloom_realtime_delivered_total")),
            gifts: families
                .of("liveloom_gifts_ended_total")
                .iter()
                .filter(|metric| label(metric, "outcome") == "paid")
                .map(|metric| whole(value(metric)))
                .sum(),
            likes: whole(families.value("liveloom_likes_total")),
            jobs: families.jobs(),
        }
    }

    /// The report of a node that wrote `text`; of one that cannot be read all is 0.
    #[must_use]
    pub fn parse(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// As [`NodeReport::parse`] reads it.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

struct Families(Vec<MetricFamily>);

impl Families {
    /// The metrics of one name.
    fn of(&self, name: &str) -> &[Metric] {
        self.0.iter().find(|family| family.name() == name).map_or(&[], MetricFamily::get_metric)
    }

    /// The sum over all labels.
    fn value(&self, name: &str) -> f64 {
        self.of(name).iter().map(value).sum()
    }

    /// The value of that job. The label is `task`, since `job` is what Prometheus calls what it scrapes.
    fn of_job(&self, name: &str, job: &str) -> f64 {
        self.of(name).iter().find(|metric| label(metric, "task") == job).map_or(0.0, value)
    }

    fn jobs(&self) -> Vec<JobReport> {
        let mut runs: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for metric in self.of(JOB_RUNS) {
            let (all, failed) = runs.entry(label(metric, "task")).or_default();
            *all += samples(metric);
            *failed += if label(metric, "result") == "ok" { 0 } else { samples(metric) };
        }
        let mut jobs: Vec<JobReport> = self
            .of(JOB_EVERY)
            .iter()
            .map(|every| {
                let name = label(every, "task");
                let (runs, failures) = runs.get(name).copied().unwrap_or_default();
                let last_at_ms = whole(self.of_job(JOB_LAST_AT, name) * 1000.0);
                JobReport {
                    name: name.to_owned(),
                    every_ms: whole(value(every) * 1000.0),
                    last_at_ms: Some(last_at_ms).filter(|ms| *ms > 0),
                    last_took_ms: whole(self.of_job(JOB_LAST_TOOK, name) * 1000.0),
                    last_is_ok: self.of_job(JOB_LAST_IS_OK, name) > 0.0,
                    runs,
                    failures,
                }
            })
            .collect();
        jobs.sort_by(|one, other| one.name.cmp(&other.name));
        jobs
    }
}

/// The value of a counter or a gauge; a metric is one of both.
fn value(metric: &Metric) -> f64 {
    metric.get_counter().get_value() + metric.get_gauge().get_value()
}

fn samples(metric: &Metric) -> u64 {
    metric.get_histogram().get_sample_count()
}

fn label<'a>(metric: &'a Metric, name: &str) -> &'a str {
    metric.get_label().iter().find(|pair| pair.name() == name).map_or("", |pair| pair.value())
}

/// Metrics are floating, but what is counted is whole and not negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use prometheus::{GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts};

    use super::*;

    #[test]
    fn a_report_holds_what_was_counted() {
        let registry = crate::registry().unwrap();
        let likes = IntCounter::new("liveloom_likes_total", "-").unwrap();
        let gifts = Opts::new("liveloom_gifts_ended_total", "-");
        let gifts = IntCounterVec::new(gifts, &["outcome"]).unwrap();
        registry.register(Box::new(likes.clone())).unwrap();
        registry.register(Box::new(gifts.clone())).unwrap();
        likes.inc_by(3);
        gifts.with_label_values(&["paid"]).inc_by(2);
        gifts.with_label_values(&["refused"]).inc();
        let report = NodeReport::gather(&registry);
        assert_eq!((report.likes, report.gifts, report.requests), (3, 2, 0));
        assert!(report.cpu_seconds > 0.0, "{report:?}");
        assert!(cfg!(not(target_os = "linux")) || report.memory_bytes > 0 && report.started_at > 0);
        assert_eq!(NodeReport::parse(Some(&report.to_text())), report);
    }

    #[test]
    fn jobs_are_told_with_their_last_run() {
        let registry = Registry::new();
        for (name, value) in [(JOB_EVERY, 30.0), (JOB_LAST_AT, 1_700_000_000.25), (JOB_LAST_IS_OK, 1.0)] {
            let gauge = GaugeVec::new(Opts::new(name, "-"), &["task"]).unwrap();
            gauge.with_label_values(&["b"]).set(value);
            registry.register(Box::new(gauge.clone())).unwrap();
            if name == JOB_EVERY {
                gauge.with_label_values(&["a"]).set(0.5);
            }
        }
        let runs = HistogramVec::new(HistogramOpts::new(JOB_RUNS, "-"), &["task", "result"]).unwrap();
        registry.register(Box::new(runs.clone())).unwrap();
        for result in ["ok", "error", "ok"] {
            runs.with_label_values(&["b", result]).observe(0.1);
        }
        let jobs = NodeReport::gather(&registry).jobs;
        let never = JobReport { name: "a".into(), every_ms: 500, ..JobReport::default() };
        let ran = JobReport {
            name: "b".into(),
            every_ms: 30_000,
            last_at_ms: Some(1_700_000_000_250),
            last_took_ms: 0,
            last_is_ok: true,
            runs: 3,
            failures: 1,
        };
        assert_eq!(jobs, [never, ran]);
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        for text in [None, Some(""), Some("{"), Some(r#"{"likes":"x"}"#)] {
            assert_eq!(NodeReport::parse(text), NodeReport::default());
        }
        let partial = NodeReport::parse(Some(r#"{"likes":3,"unknown":1}"#));
        assert_eq!(partial, NodeReport { likes: 3, ..NodeReport::default() });
    }
}
