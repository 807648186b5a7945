//! What is counted of the databases. Whatever a statement counts is looked up once, when its pool is made.

use prometheus::core::Collector;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

use super::error::{StoreError, known};

/// Buckets of the time that getting a connection takes: mostly none at all, at most the deadline.
const WAITS: [f64; 10] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// What a pool is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// The writable database.
    Writer,
    /// The reading connections of the embedded file.
    Reader,
    /// A read replica.
    Replica,
}

/// Why a read goes to the writable database, though there are replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterRead {
    /// The caller has just written.
    OwnWrite,
    /// The cache does not say whether the caller has.
    CacheAway,
    /// The replicas that answer lag too much.
    ReplicaLags,
    /// No replica answers.
    ReplicaDown,
}

/// The metrics of all databases of a node. Clones share everything.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    connections: IntGaugeVec,
    limit: IntGaugeVec,
    waiting: IntGaugeVec,
    wait: HistogramVec,
    errors: IntCounterVec,
    retries: IntCounterVec,
    up: IntGaugeVec,
    lag: GaugeVec,
    usable: IntGaugeVec,
    writer_reads: IntCounterVec,
    own_write: IntCounter,
    cache_away: IntCounter,
    replica_lags: IntCounter,
    replica_down: IntCounter,
}

/// The metrics of one pool.
#[derive(Clone, Debug)]
pub(super) struct PoolMetrics {
    in_use: IntGauge,
    idle: IntGauge,
    limit: IntGauge,
    waiting: IntGauge,
    /// From asking for a connection to having it.
    pub(super) wait: Histogram,
    /// Transactions that are tried again.
    pub(super) retries: IntCounter,
    /// 1 while the database answered last.
    up: IntGauge,
    deadline: IntCounter,
    unreachable: IntCounter,
    deadlock: IntCounter,
    duplicate: IntCounter,
    other: IntCounter,
}

/// The metrics of one replica.
#[derive(Clone, Debug)]
pub(super) struct ReplicaMetrics {
    pub(super) lag: prometheus::Gauge,
    pub(super) usable: IntGauge,
}

impl Metrics {
    /// Metrics that nobody sees, until they are registered.
    pub(super) fn new() -> prometheus::Result<Self> {
        const POOL: [&str; 2] = ["database", "role"];
        let name = |name: &str| format!("liveloom_database_{name}");
        let gauges =
            |of: &str, help: &str, labels: &[&str]| IntGaugeVec::new(Opts::new(name(of), help), labels);
        let counters =
            |of: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name(of), help), labels);
        let wait = HistogramOpts::new(
            name("wait_seconds"),
            "From asking for a connection to having it (opened and checked, if need be), in seconds.",
        );
        let writer_reads = counters(
            "writer_reads_total",
            "Reads that went to the writable database though copies are configured, by reason \
             (own_write, cache_away, replica_lags, replica_down).",
            &["reason"],
        )?;
        Ok(Self {
            connections: gauges(
                "connections",
                "Open connections, by state (in_use, idle); at most a second old.",
                &["database", "role", "state"],
            )?,
            limit: gauges("connections_limit", "Connections that the pool may open.", &POOL)?,
            waiting: gauges(
                "waiting",
                "Statements that wait for a connection; at most a second old.",
                &POOL,
            )?,
            wait: HistogramVec::new(wait.buckets(WAITS.to_vec()), &POOL)?,
            errors: counters(
                "errors_total",
                "Statements and connections that failed, by kind: deadline, unreachable, deadlock (or a lock \
                 not given up in time), duplicate (a row that exists), other.",
                &["database", "role", "kind"],
            )?,
            retries: counters(
                "retries_total",
                "Transactions done again because another one was in the way.",
                &POOL,
            )?,
            up: gauges("up", "1 when the database answered last, 0 when it did not.", &POOL)?,
            lag: GaugeVec::new(
                Opts::new(
                    name("replica_lag_seconds"),
                    "Age of the newest that a copy is known to have, in seconds: a second more than it lags, \
                     at most. Rises while it is away.",
                ),
                &["database"],
            )?,
            usable: gauges("replica_usable", "1 while a copy is read from, else 0.", &["database"])?,
            own_write: writer_reads.with_label_values(&["own_write"]),
            cache_away: writer_reads.with_label_values(&["cache_away"]),
            replica_lags: writer_reads.with_label_values(&["replica_lags"]),
            replica_down: writer_reads.with_label_values(&["replica_down"]),
            writer_reads,
        })
    }

    /// Shows them in `registry`.
    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        let collectors: [Box<dyn Collector>; 10] = [
            Box::new(self.connections.clone()),
            Box::new(self.limit.clone()),
            Box::new(self.waiting.clone()),
            Box::new(self.wait.clone()),
            Box::new(self.errors.clone()),
            Box::new(self.retries.clone()),
            Box::new(self.up.clone()),
            Box::new(self.lag.clone()),
            Box::new(self.usable.clone()),
            Box::new(self.writer_reads.clone()),
        ];
        collectors.into_iter().try_for_each(|collector| registry.register(collector))
    }

    /// Those of the pool of `database`.
    pub(super) fn pool(&self, database: &str, role: Role) -> PoolMetrics {
        let role = role.name();
        let pool = [database, role];
        let connections = |state| self.connections.with_label_values(&[database, role, state]);
        let errors = |kind| self.errors.with_label_values(&[database, role, kind]);
        PoolMetrics {
            in_use: connections("in_use"),
            idle: connections("idle"),
            limit: self.limit.with_label_values(&pool),
            waiting: self.waiting.with_label_values(&pool),
            wait: self.wait.with_label_values(&pool),
            retries: self.retries.with_label_values(&pool),
            up: self.up.with_label_values(&pool),
            deadline: errors("deadline"),
            unreachable: errors("unreachable"),
            deadlock: errors("deadlock"),
            duplicate: errors("duplicate"),
            other: errors("other"),
        }
    }

    /// Those of a replica beside its pool's.
    pub(super) fn replica(&self, database: &str) -> ReplicaMetrics {
        let labels = [database];
        ReplicaMetrics {
            lag: self.lag.with_label_values(&labels),
            usable: self.usable.with_label_values(&labels),
        }
    }

    /// Counts a read of the writable database.
    pub(super) fn writer_read(&self, why: WriterRead) {
        match why {
            WriterRead::OwnWrite => &self.own_write,
            WriterRead::CacheAway => &self.cache_away,
            WriterRead::ReplicaLags => &self.replica_lags,
            WriterRead::ReplicaDown => &self.replica_down,
        }
        .inc();
    }
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Writer => "writer",
            Self::Reader => "reader",
            Self::Replica => "replica",
        }
    }
}

impl PoolMetrics {
    /// Shows how the pool is doing.
    pub(super) fn show(&self, status: &deadpool::Status) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.in_use.set(number(status.size.saturating_sub(status.available)));
        self.idle.set(number(status.available));
        self.limit.set(number(status.max_size));
        self.waiting.set(number(status.waiting));
    }

    /// A connection was opened or pinged. After a statement that did not come back that is what happens
    /// next, so that statements that do need not be counted.
    pub(super) fn answered(&self, is_there: bool) {
        self.up.set(i64::from(is_there));
    }

    /// Whether the database answered last.
    pub(super) fn is_up(&self) -> bool {
        self.up.get() == 1
    }

    /// Counts a statement, or a connection, that failed.
    pub(super) fn failed(&self, error: &DbErr) {
        let counter = match (error, known(error)) {
            // Perhaps others only have all connections.
            (DbErr::ConnectionAcquire(ConnAcquireErr::Timeout), _) => &self.deadline,
            (DbErr::Query(RuntimeErr::Internal(_)), _) => {
                self.up.set(0);
                &self.deadline
            }
            (_, Some(StoreError::Unavailable { .. } | StoreError::Lost { .. })) => {
                self.up.set(0);
                &self.unreachable
            }
            (_, Some(StoreError::Contended { .. })) => &self.deadlock,
            (_, Some(StoreError::Duplicate { .. })) => &self.duplicate,
            _ => &self.other,
        };
        counter.inc();
    }
}
