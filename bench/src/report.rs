//! The result, as `--json` writes it and `compare` reads it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::realtime::RealtimeFigures;

/// Everything that one call of the benchmark has found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// When it was made, RFC 3339.
    pub taken_at: String,
    /// Processors of the machine.
    pub cores: usize,
    /// Connections of the timed phase; 0 when there was none.
    pub connections: u16,
    /// Figures of the server as a process.
    pub process: Option<ProcessFigures>,
    /// The counted phase.
    pub counted: Vec<Counted>,
    /// The timed phase; the bare route comes first.
    pub timed: Vec<Timed>,
    /// Calls of the RTC service for lists of seats.
    pub seats: Option<SeatFigures>,
    /// Many likes that are written at once.
    pub flush: Option<FlushFigures>,
    /// Callbacks.
    pub outbox: Option<OutboxFigures>,
    /// The silent viewers.
    pub silent: Option<SilentFigures>,
    /// Messages over WebSocket.
    #[serde(default)]
    pub realtime: Option<RealtimeFigures>,
    /// Figures with a limit.
    pub verdicts: Vec<Verdict>,
}

/// Start and memory of the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProcessFigures {
    /// Spawn to the first 200 on `/readyz` on an empty database, ms.
    pub ready_empty_ms: f64,
    /// The same on an existing database, ms.
    pub ready_ms: f64,
    /// Resident memory after 3 s idle, MB.
    pub idle_mb: f64,
    /// Resident memory after the timed phase, MB.
    pub busy_mb: f64,
}

/// A route of the counted phase.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Counted {
    /// Its name.
    pub name: String,
    /// What is done.
    pub shown: String,
    /// How many requests were counted.
    pub requests: u64,
    /// SQL statements per request.
    pub sql: f64,
    /// Cache round trips per request.
    pub trips: f64,
    /// The limit of `sql`.
    pub sql_limit: Option<u32>,
    /// The limit of `trips`.
    pub trips_limit: Option<u32>,
    /// Statements per request by kind, transaction control included.
    pub sql_kinds: BTreeMap<String, f64>,
    /// The statements of one request.
    pub statements: Vec<String>,
    /// Cache commands per request by name, without those that scripts call.
    pub commands: BTreeMap<String, f64>,
    /// Of a route that leaves work to consumers of events: its own statements per request by shape.
    #[serde(default)]
    pub own: BTreeMap<String, f64>,
    /// The statements that consumers and jobs sent meanwhile, per request by shape; not in `sql`.
    #[serde(default)]
    pub left_out: BTreeMap<String, f64>,
}

/// A route of the timed phase.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timed {
    /// Its name.
    pub name: String,
    /// What is done.
    pub shown: String,
    /// Requests per second.
    pub per_s: f64,
    /// `per_s` as a part of the bare route's.
    pub of_bare: f64,
    /// Median latency, ms.
    pub p50_ms: f64,
    /// 99th percentile, ms.
    pub p99_ms: f64,
    /// CPU of the server per request, µs.
    pub server_us: f64,
    /// `server_us` as a multiple of the bare route's.
    pub server_of_bare: f64,
    /// CPU of MariaDB per request, µs.
    pub database_us: f64,
    /// CPU of Redis per request, µs.
    pub cache_us: f64,
    /// CPU of this driver per request, µs.
    pub driver_us: f64,
    /// Bytes of an answer's body.
    pub bytes: f64,
    /// Answers other than 200.
    pub failures: u64,
}

/// Lists of seats, one of each room, when no answer of the RTC service is remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeatFigures {
    /// How many lists, each of another room.
    pub lists: u64,
    /// Guests in one of them.
    pub guests: u64,
    /// How often the RTC service was asked.
    pub calls: u64,
}

/// Many likes that are written at once, by the job that does so.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FlushFigures {
    /// How many rows: one for each user and room.
    pub likes: u64,
    /// In how many rooms.
    pub rooms: usize,
    /// First all rows are new, then all are raised.
    pub rounds: Vec<FlushRound>,
}

/// One run of the job over all likes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FlushRound {
    /// Statements that wrote likes.
    pub statements: u64,
    /// From the moment when all likes waited until none did, s; the wait for the job is part of it.
    pub all_s: f64,
    /// From the first of these statements until none waited, s.
    pub writing_s: f64,
}

/// Callbacks to a receiver that answers at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutboxFigures {
    /// Events that waited when the server started.
    pub backlog: BacklogFigures,
    /// Events that happened at a steady pace.
    pub paced: PacedFigures,
}

/// The delivery of a backlog.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BacklogFigures {
    /// How many callbacks.
    pub callbacks: u64,
    /// Of how many rooms.
    pub rooms: u32,
    /// Callbacks per second between the first and the last arrival.
    pub per_s: f64,
    /// From the server's start to the first arrival, s.
    pub first_s: f64,
    /// Arrivals of callbacks that had come before.
    pub repeated: u64,
    /// Arrivals before which a later one of the same room had come.
    pub out_of_order: u64,
    /// CPU of the server per callback, µs, its start included.
    pub server_us: f64,
    /// CPU of MariaDB per callback, µs.
    pub database_us: f64,
    /// CPU of the receiver per callback, µs.
    pub receiver_us: f64,
}

/// Callbacks of events at a steady pace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PacedFigures {
    /// Events per second, as they were asked for.
    pub asked_per_s: u32,
    /// Events per second, as they happened.
    pub per_s: f64,
    /// From the call that makes the event until the arrival of its callback.
    pub latency: Latency,
    /// CPU of the server, as a part of one processor.
    pub server_cpu: f64,
    /// CPU of MariaDB, as a part of one processor.
    pub database_cpu: f64,
}

/// The removal of many viewers at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SilentFigures {
    /// How many fell silent.
    pub viewers: u32,
    /// In how many rooms.
    pub rooms: u32,
    /// From the moment when the time-out has passed until the first was out, s.
    pub first_out_s: f64,
    /// From the moment when the time-out has passed until all were out, s.
    pub all_out_s: f64,
    /// CPU of the server meanwhile, s.
    pub server_cpu_s: f64,
    /// CPU of MariaDB meanwhile, s; asking who is left is part of it.
    pub database_cpu_s: f64,
    /// Statements on the database meanwhile.
    pub statements: u64,
    /// Heartbeats of others before.
    pub before: Latency,
    /// Heartbeats of others meanwhile.
    pub meanwhile: Latency,
    /// Resident memory of the server afterwards, MB.
    pub resident_mb: f64,
}

/// Latencies of paced requests.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Latency {
    /// How many.
    pub requests: usize,
    /// Median, ms.
    pub p50_ms: f64,
    /// 99th percentile, ms.
    pub p99_ms: f64,
    /// The longest, ms.
    pub max_ms: f64,
    /// Answers other than 200.
    pub failures: u64,
}

/// A figure beside its limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// What is limited.
    pub what: String,
    /// The figure, with its unit.
    pub figure: String,
    /// The limit, with its unit.
    pub limit: String,
    /// Whether the figure keeps the limit.
    pub within: bool,
}

impl Report {
    /// Writes it as JSON.
    pub fn save(&self, path: &Path) -> Result<()> {
        fs::write(path, serde_json::to_vec_pretty(self)?).with_context(|| format!("write {}", path.display()))
    }

    /// Reads what [`Report::save`] has written.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is no result of --json", path.display()))
    }
}
