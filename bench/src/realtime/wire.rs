//! What the benchmark and the processes of its load generator tell each other: a line of JSON each.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::worker::Flaws;

/// One connection with its subscription; a plan has one in a line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seat {
    /// The server.
    pub address: SocketAddr,
    /// The address of the loopback interface to connect from.
    pub source: Ipv4Addr,
    /// The client token.
    pub token: String,
    /// The channel.
    pub channel: String,
    /// The number of the channel, the same in all processes.
    pub room: usize,
    /// The number of the server.
    pub node: u8,
    /// Whether it stalls when told to. Its socket holds as little as can be, so that the server feels it.
    pub is_slow: bool,
}

/// What a process shall do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Open the connections of a plan, which may be read once.
    Open {
        /// The file.
        plan: PathBuf,
    },
    /// Publish from now until `end`; what happens from `begin` on is counted (both on the clock of the generator).
    Measure {
        /// How.
        pace: Pace,
        /// When the warm-up ends.
        begin: u64,
        /// When to stop.
        end: u64,
    },
    /// Stop reading on the slow connections, or go on.
    Stall(bool),
    /// Wait until every subscriber that reads has got everything.
    Settle {
        /// The last offset of each room, as far as any process knows.
        tops: Vec<u64>,
        /// For how long at most, ms.
        within_ms: u64,
    },
}

/// How a process publishes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Pace {
    /// Not at all.
    Listen,
    /// So many a second.
    PerSecond(f64),
    /// As fast as all subscribers of its only room get it: so many are on their way.
    Window(u64),
}

/// What a process answers, one to each command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// All connections are open and subscribed.
    Opened,
    /// To [`Command::Measure`].
    Measured(Measured),
    /// To [`Command::Stall`].
    Stalled,
    /// To [`Command::Settle`].
    Settled(Settled),
    /// It did not work.
    Failed(String),
}

/// What happened between the beginning and the end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Messages that arrived, over all connections.
    pub deliveries: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Calls of the kernel that read some.
    pub reads: u64,
    /// Messages that were published.
    pub published: u64,
    /// By how much a message was sent later than its time, at most, µs.
    pub lag_us: u64,
    /// The last offset of each room.
    pub tops: Vec<u64>,
}

/// What is known once nothing is on its way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Settled {
    /// Times from publishing to delivery of the last measurement: µs, and how many. On the node of the publisher.
    pub near: Vec<(u64, u64)>,
    /// On other nodes.
    pub across: Vec<(u64, u64)>,
    /// What went wrong since the connections were opened.
    pub flaws: Flaws,
    /// Connections and subscriptions that ended since then, by reason.
    pub ended: BTreeMap<String, u64>,
    /// Publications that were refused since then, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Publications without an answer.
    pub unanswered: u64,
    /// How often the server said that messages may be missing.
    pub announced: u64,
}
