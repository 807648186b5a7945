//! Answers of the overview's routes.

use serde::Serialize;
use utoipa::ToSchema;

use config::Config;
use store::registry::AliveNode;
use telemetry::report::{JobReport, NodeReport};

/// What the installation is doing. What ends in `_total` is the sum of what the nodes counted since their
/// starts, at most some seconds ago.
#[derive(Debug, Serialize, ToSchema)]
pub struct Summary {
    /// When this was counted, Unix milliseconds.
    pub at_ms: i64,
    /// Rooms that are live.
    pub rooms_live: u64,
    /// Users in rooms.
    pub users_online: u64,
    /// Messages published.
    pub messages_total: u64,
    /// Gifts paid.
    pub gifts_total: u64,
    /// Likes given.
    pub likes_total: u64,
    /// HTTP requests answered.
    pub requests_total: u64,
    /// Callbacks to the business service.
    pub callbacks: Callbacks,
    /// Gifts without an outcome, or with two.
    pub gifts: GiftsToSee,
    /// Pictures of the content review.
    pub review: Review,
    /// The node that runs the jobs; null while there is none.
    pub leader: Option<Leader>,
    /// The nodes that are alive.
    pub nodes: Vec<Node>,
    /// The jobs, as the leader tells of them.
    pub jobs: Vec<Job>,
    /// What the answering node found odd in its configuration.
    pub warnings: Vec<String>,
    /// The keys of its configuration whose secrets are known or can be guessed, as `auth.jwt_key`.
    pub weak_secrets: Vec<String>,
}

/// Callbacks to the business service.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Callbacks {
    /// Still to be delivered, in lanes of rooms or alone.
    pub pending: u64,
    /// Failed for good.
    pub failed: u64,
    /// Age of the oldest event that is still to be delivered, in seconds; 0 without one.
    pub oldest_s: i64,
}

/// Gifts that somebody may have to see to; of each 10,000 at most.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct GiftsToSee {
    /// Without an outcome.
    pub waiting: u64,
    /// Contradicted by the payment service.
    pub flagged: u64,
}

/// Pictures of the content review.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Review {
    /// Those that wait for a verdict; 10,000 at most.
    pub waiting: u64,
}

/// Who runs the jobs.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Leader {
    /// The node that does.
    pub node_id: i32,
    /// The node that should.
    pub preferred_node_id: i32,
}

/// A node that is alive. The counters are since its start and at most some seconds old; those of a node
/// of an older version are 0.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Node {
    /// The node, 0 to 1023.
    pub node_id: i32,
    /// Name of its host.
    pub host: String,
    /// Its process; 0 when the system does not tell.
    pub pid: u32,
    /// Version of its server.
    pub version: String,
    /// Start of the process, Unix seconds.
    pub started_at: u64,
    /// How long ago it renewed its registration, in milliseconds.
    pub seen_ms_ago: i64,
    /// Whether it runs the jobs.
    pub is_leader: bool,
    /// Whether it gave this answer.
    pub is_answering: bool,
    /// CPU time.
    pub cpu_seconds_total: f64,
    /// Resident memory.
    pub memory_bytes: u64,
    /// Open WebSocket connections.
    pub connections: u64,
    /// HTTP requests answered.
    pub requests_total: u64,
    /// Messages published.
    pub messages_total: u64,
    /// Messages handed to connections.
    pub deliveries_total: u64,
    /// Gifts paid.
    pub gifts_total: u64,
    /// Likes given.
    pub likes_total: u64,
}

impl Node {
    pub(super) fn new(node: &AliveNode, report: &NodeReport) -> Self {
        Self {
            node_id: node.node_id,
            host: node.host(),
            pid: node.pid().parse().unwrap_or_default(),
            version: node.version.clone(),
            started_at: report.started_at,
            seen_ms_ago: node.seen_ms_ago,
            is_leader: false,
            is_answering: false,
            cpu_seconds_total: report.cpu_seconds,
            memory_bytes: report.memory_bytes,
            connections: report.connections,
            requests_total: report.requests,
            messages_total: report.messages,
            deliveries_total: report.deliveries,
            gifts_total: report.gifts,
            likes_total: report.likes,
        }
    }
}

/// A job, as the leader tells of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// From the start of one run to the start of the next, in milliseconds.
    pub every_ms: u64,
    /// The leader.
    pub node_id: i32,
    /// When its last run ended, Unix milliseconds; null before the first on this node.
    pub last_at_ms: Option<u64>,
    /// How long that took, in milliseconds.
    pub last_took_ms: u64,
    /// Whether it was good; true before the first.
    pub last_is_ok: bool,
    /// Runs on this node since its start.
    pub runs_total: u64,
    /// Those that failed.
    pub failures_total: u64,
}

impl Job {
    pub(super) fn new(node_id: i32, report: &JobReport) -> Self {
        Self {
            name: report.name.clone(),
            every_ms: report.every_ms,
            node_id,
            last_at_ms: report.last_at_ms,
            last_took_ms: report.last_took_ms,
            last_is_ok: report.last_is_ok,
            runs_total: report.runs,
            failures_total: report.failures,
        }
    }
}

/// The configuration that a node runs with.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConfigView {
    /// The node.
    pub node_id: i32,
    /// Version of its server.
    pub version: String,
    /// What is odd about it.
    pub warnings: Vec<String>,
    /// All sections and keys; secrets are `***`.
    #[schema(value_type = Object)]
    pub config: serde_json::Value,
}

impl ConfigView {
    /// A view of `config`, still without its warnings.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            node_id: config.node.node_id.into(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            warnings: Vec::new(),
            config: config.shown(),
        }
    }
}
