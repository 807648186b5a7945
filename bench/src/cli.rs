//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  bench run                                   the whole benchmark, about three minutes
  bench run --only heartbeat,room_info        two routes beside the bare one
  bench run --skip-silent --skip-outbox       no viewers who fall silent, no callbacks
  bench run --json now.json                   keep the figures for a later comparison
  bench compare before.json now.json          what has become slower or faster
  bench realtime                              messages over WebSocket, about four minutes
  bench realtime --only fan-out --seconds 30  one of its scenes for longer
  bench check                                 count statements and round trips only; exit 1 when over a limit

Through cargo:
  cargo build --release -p liveloom -p bench && target/release/bench run";

/// Measures liveloom over a private MariaDB and Redis.
///
/// Exit codes: 0 done and within the limits, 1 a limit is exceeded, 2 could not measure.
#[derive(Debug, Parser)]
#[command(name = "bench", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Count, then time every route, then deliver callbacks, then let 100,000 viewers fall silent.
    #[command(after_help = EXAMPLES)]
    Run(RunArgs),
    /// Count SQL statements and cache round trips per request, and what writes many likes; exit 1 and name each limit that is exceeded.
    #[command(after_help = EXAMPLES)]
    Check(CheckArgs),
    /// Show two results of `run --json` side by side.
    Compare(CompareArgs),
    /// Measure connections, deliveries and delays of messages over WebSocket; exit 1 and name each limit that is exceeded.
    #[command(after_help = EXAMPLES)]
    Realtime(RealtimeArgs),
    /// One process of the load generator; started by `realtime`.
    #[command(name = WORKER, hide = true)]
    RealtimeWorker,
}

/// The name of [`Command::RealtimeWorker`].
pub const WORKER: &str = "realtime-worker";

/// What `run` and `check` have in common.
#[derive(Args, Clone, Debug)]
pub struct CommonArgs {
    /// The server's binary [default: `liveloom` beside this program].
    #[arg(long, value_name = "FILE")]
    pub server: Option<PathBuf>,
    /// Requests per route of the counted phase, sent one after the other.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub requests: u32,
    /// Seconds over which the statements of background jobs are counted before the requests.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120))]
    pub idle: u64,
    /// Also write the result as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Keep the temporary folder (databases, configuration, logs) and print its path.
    #[arg(long)]
    pub keep: bool,
}

/// Arguments of `run`.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// What `run` and `check` have in common.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Keep-alive connections of the timed phase.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub connections: u16,
    /// Seconds per route.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Seconds per route before the clock starts.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=60))]
    pub warm_up: u64,
    /// Only these routes (names of the first column), beside the bare one.
    #[arg(long, value_delimiter = ',', value_name = "ROUTE,…")]
    pub only: Vec<String>,
    /// Leave the callbacks out.
    #[arg(long)]
    pub skip_outbox: bool,
    /// How many events wait for their callbacks, the same number in each room.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub backlog: u32,
    /// In how many rooms.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub backlog_rooms: u32,
    /// Leave the silent viewers out.
    #[arg(long)]
    pub skip_silent: bool,
    /// How many viewers fall silent at once.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub silent: u32,
    /// In how many rooms.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub silent_rooms: u32,
}

/// Arguments of `check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// What `run` and `check` have in common.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Arguments of `realtime`.
#[derive(Args, Clone, Debug)]
pub struct RealtimeArgs {
    /// The server's binary [default: `liveloom` beside this program].
    #[arg(long, value_name = "FILE")]
    pub server: Option<PathBuf>,
    /// Only these scenes; stalled connections need the fan-out before.
    #[arg(long, value_delimiter = ',', value_name = "SCENE,…")]
    pub only: Vec<Scene>,
    /// Connections in small rooms; the limit of open files allows fewer, perhaps.
    #[arg(long, default_value_t = 20_000, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(20..=1_000_000))]
    pub connections: usize,
    /// Subscribers of the large room.
    #[arg(long, default_value_t = 5_000, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(100..=15_000))]
    pub room_size: usize,
    /// Processes of the load generator.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub processes: u16,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Also write the result as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Keep the temporary folder (databases, configuration, logs) and print its path.
    #[arg(long)]
    pub keep: bool,
}

/// What `realtime` measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scene {
    /// Memory of connections that do nothing.
    Idle,
    /// The same connections in small rooms, with messages.
    Rooms,
    /// One large room.
    FanOut,
    /// The same room, a part of which stalls.
    Stalled,
    /// Two nodes over Redis.
    Nodes,
}

/// Arguments of `compare`.
#[derive(Args, Clone, Debug)]
pub struct CompareArgs {
    /// The older result.
    pub before: PathBuf,
    /// The newer result.
    pub after: PathBuf,
}
