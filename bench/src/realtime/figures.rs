//! The figures of the realtime benchmark, as `--json` writes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything that was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RealtimeFigures {
    /// Connections that do nothing.
    pub idle: Option<IdleFigures>,
    /// The same connections, in many small rooms.
    pub rooms: Option<Run>,
    /// One large room.
    pub fan_out: Option<FanOutFigures>,
    /// The same room, a part of which stalls.
    pub stalled: Option<StalledFigures>,
    /// Two nodes.
    pub nodes: Option<Run>,
}

/// Memory of connections with one subscription each.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct IdleFigures {
    /// How many were asked for.
    pub asked: usize,
    /// How many are open: no more than the machine's limit of open files allows one process.
    pub connections: usize,
    /// In how many rooms.
    pub rooms: usize,
    /// Connections that were opened and subscribed a second.
    pub opened_per_s: f64,
    /// Resident memory of the server before, MB.
    pub before_mb: f64,
    /// Resident memory of the server with them, MB.
    pub resident_mb: f64,
    /// The difference, KB (10^3 bytes) for each connection.
    pub kb_each: f64,
    /// What the kernel keeps in the buffers of both ends, KB for each connection.
    pub buffers_kb_each: f64,
    /// What the kernel's own records of both ends take (unreclaimable slab), KB for each connection.
    pub records_kb_each: f64,
}

/// Messages that are published and delivered for a while.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// Subscribed connections.
    pub connections: usize,
    /// In how many rooms.
    pub rooms: usize,
    /// The pace that was asked for, messages a second; none: as fast as they are delivered.
    pub asked_per_s: Option<f64>,
    /// Messages published a second.
    pub published_per_s: f64,
    /// Messages delivered a second.
    pub deliveries_per_s: f64,
    /// Bytes of one of them.
    pub bytes_each: f64,
    /// Deliveries that a subscriber reads at once, on average.
    pub per_read: f64,
    /// By how much a message was sent later than its time, at most, ms.
    pub lag_ms: f64,
    /// From publishing to delivery on the node of the publisher.
    pub near: Delays,
    /// On another node.
    pub across: Delays,
    /// CPU of each process.
    pub cpu: Cpu,
    /// What went wrong.
    pub faults: FaultFigures,
}

/// Times from publishing to delivery.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Delays {
    /// How many.
    pub deliveries: u64,
    /// Median, ms.
    pub p50_ms: f64,
    /// 99th percentile, ms.
    pub p99_ms: f64,
    /// 99.9th percentile, ms.
    pub p999_ms: f64,
    /// The longest, ms.
    pub max_ms: f64,
}

/// CPU time as a part of one processor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cpu {
    /// Of the servers, one after the other.
    pub servers: Vec<f64>,
    /// Of MariaDB.
    pub database: f64,
    /// Of Redis.
    pub cache: f64,
    /// Of the generator's processes.
    pub generator: f64,
}

/// What went wrong since the connections were opened.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FaultFigures {
    /// Deliveries that never came.
    pub lost: u64,
    /// Deliveries that came again.
    pub repeated: u64,
    /// Deliveries that came after a later one.
    pub late: u64,
    /// Gaps that the server announced.
    pub announced: u64,
    /// Publications without an answer.
    pub unanswered: u64,
    /// Publications that were refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Connections and subscriptions that ended, by reason.
    pub ended: BTreeMap<String, u64>,
}

/// One room with many subscribers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FanOutFigures {
    /// As fast as it goes.
    pub saturated: Run,
    /// At half of that, or of the limit when that is more.
    pub half: Run,
    /// At half of the limit.
    pub half_of_limit: Run,
    /// What a bare writer does on this machine.
    pub bare: Vec<BareFigures>,
}

/// A loop that writes the same bytes to as many sockets, read by the same generator.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BareFigures {
    /// The pace that was asked for, messages a second; none: as fast as it goes.
    pub asked_per_s: Option<f64>,
    /// Deliveries that it writes at once.
    pub per_write: usize,
    /// Messages delivered a second.
    pub deliveries_per_s: f64,
    /// Bytes of one of them.
    pub bytes_each: f64,
    /// Times from writing to delivery.
    pub delays: Delays,
    /// CPU of the writer, as a part of one processor.
    pub writer_cpu: f64,
    /// CPU of the generator, as a part of one processor.
    pub generator_cpu: f64,
}

/// A part of the subscribers stops reading and goes on, in turn.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StalledFigures {
    /// How many stall.
    pub stalled: usize,
    /// What the kernel of the server could not send to each of them, at the end of a round, KB.
    pub unsent_kb_each: f64,
    /// The 99th percentiles of the others: all read, and some are stalled; ms.
    pub rounds: Vec<[f64; 2]>,
    /// All rounds in which all read.
    pub reading: Delays,
    /// All rounds in which some were stalled.
    pub stalling: Delays,
    /// The last round, with the faults of all.
    pub run: Run,
}
