//! Measures what viewers and publishers cost: one stream of 4 Mbit/s before many viewers, by HTTP-FLV through
//! actix-web and by RTMP, and many streams of 1 Mbit/s with a viewer each.
//!
//! ```sh
//! cargo build --release -p media --example fanout
//! target/release/examples/fanout flv 1000 20           # viewers, seconds
//! target/release/examples/fanout rtmp 300 20           # the same by RTMP
//! target/release/examples/fanout publishers 200 20     # publishers by RTMP with a viewer by HTTP-FLV each
//! target/release/examples/fanout strangers 1000 5      # who make it hold what they can before they are accepted
//! target/release/examples/fanout foreign 300 20 PID rtmp://127.0.0.1:1936/live/a    # another server by RTMP
//! ```
//!
//! Encoders and viewers are another process, so that only the server is measured: its CPU time (user and system)
//! and the growth of its resident memory, less what the streams' windows hold. Both ends of each connection need
//! a file descriptor (`ulimit -n`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

#[path = "fanout/load.rs"]
mod load;
#[path = "fanout/server.rs"]
mod server;

/// A measurement: what is watched, by how many, how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// `flv`, `rtmp`, `publishers`, `strangers` or `foreign`.
    pub kind: String,
    /// Viewers, or publishers with a viewer each.
    pub count: u64,
    /// How long it is measured.
    pub seconds: u64,
}

#[actix_web::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "load") {
        return load::run(&arguments[1..]).await;
    }
    let number = |index: usize, usual: u64| arguments.get(index).map_or(usual, |word| word.parse().unwrap());
    let kind = arguments.first().map_or("flv", String::as_str).to_owned();
    let plan = Plan { kind, count: number(1, 500), seconds: number(2, 20) };
    match plan.kind.as_str() {
        "foreign" => server::measure_foreign(&plan, number(3, 0), &arguments[4]).await,
        _ => server::measure(&plan).await,
    }
}
