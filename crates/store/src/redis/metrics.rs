//! What is counted of calls of Redis. All of it is looked up once, when the connections are opened.

use std::sync::Weak;
use std::time::Instant;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
};

use super::client::Client;
use super::error::ClientError;

/// Buckets of the time of a call: mostly far below a millisecond, at most the deadline.
const TIMES: [f64; 10] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0];

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Plain values, announcements, signs of life.
    Values,
    /// Who is in which room.
    Presence,
    /// Likes.
    Likes,
    /// Messages between nodes.
    Messages,
}

/// The metrics of the calls of one user of Redis: the cache, or the broker.
pub(crate) struct Metrics {
    seconds: HistogramVec,
    failures: IntCounterVec,
    connections: IntGaugeVec,
    values: Calls,
    presence: Calls,
    likes: Calls,
    messages: Calls,
}

/// Those of one purpose.
struct Calls {
    seconds: Histogram,
    unreachable: IntCounter,
    deadline: IntCounter,
    refused: IntCounter,
    unexpected: IntCounter,
}

impl Calls {
    fn new(purpose: &str, seconds: &HistogramVec, failures: &IntCounterVec) -> Self {
        let failures = |kind| failures.with_label_values(&[purpose, kind]);
        Self {
            seconds: seconds.with_label_values(&[purpose]),
            unreachable: failures("unreachable"),
            deadline: failures("deadline"),
            refused: failures("refused"),
            unexpected: failures("unexpected"),
        }
    }
}

impl Metrics {
    /// Metrics that nobody sees, until they are registered. `user`: whose calls they are.
    pub(crate) fn new(user: &str) -> prometheus::Result<Self> {
        let seconds = HistogramOpts::new(
            "liveloom_redis_call_seconds",
            "Time of a call of Redis, the wait for a connection included, in seconds, by user (cache, \
             broker) and purpose (values, presence, likes, messages).",
        );
        let failures = Opts::new(
            "liveloom_redis_failures_total",
            "Calls of Redis that failed, by user, purpose and kind (unreachable, deadline, refused, unexpected).",
        );
        let connections = Opts::new(
            "liveloom_redis_connections",
            "Connections that are kept for calls of Redis, by user and state (up, down).",
        );
        let seconds = seconds.buckets(TIMES.to_vec()).const_label("user", user);
        let seconds = HistogramVec::new(seconds, &["purpose"])?;
        let failures = IntCounterVec::new(failures.const_label("user", user), &["purpose", "kind"])?;
        Ok(Self {
            values: Calls::new("values", &seconds, &failures),
            presence: Calls::new("presence", &seconds, &failures),
            likes: Calls::new("likes", &seconds, &failures),
            messages: Calls::new("messages", &seconds, &failures),
            connections: IntGaugeVec::new(connections.const_label("user", user), &["state"])?,
            seconds,
            failures,
        })
    }

    /// Shows them in `registry`, with the connections that `client` has when they are asked for.
    pub(super) fn register(&self, client: Weak<Client>, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.seconds.clone()))?;
        registry.register(Box::new(self.failures.clone()))?;
        registry.register(Box::new(Connections { client, gauge: self.connections.clone() }))
    }

    /// Counts a call that was begun at `began`.
    pub(super) fn called<T>(&self, purpose: Purpose, began: Instant, result: &Result<T, ClientError>) {
        let calls = match purpose {
            Purpose::Values => &self.values,
            Purpose::Presence => &self.presence,
            Purpose::Likes => &self.likes,
            Purpose::Messages => &self.messages,
        };
        calls.seconds.observe(began.elapsed().as_secs_f64());
        match result {
            Ok(_) => return,
            Err(ClientError::Unreachable(_)) => &calls.unreachable,
            Err(ClientError::Deadline) => &calls.deadline,
            Err(ClientError::Refused(_)) => &calls.refused,
            Err(ClientError::Unexpected(_) | ClientError::Config(_)) => &calls.unexpected,
        }
        .inc();
    }
}

/// Counts the connections when it is asked.
struct Connections {
    client: Weak<Client>,
    gauge: IntGaugeVec,
}

impl Collector for Connections {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let (up, down) = self.client.upgrade().map_or((0, 0), |client| client.connections());
        for (state, count) in [("up", up), ("down", down)] {
            self.gauge.with_label_values(&[state]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.gauge.collect()
    }
}
