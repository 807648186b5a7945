//! Two nodes over one Redis: rooms whose viewers are on both.

use std::time::Duration;

use anyhow::Result;

use super::crowd::Crowd;
use super::figures::Run;
use super::fleet::Course;
use super::stage::{Stage, WARM_UP};
use super::wire::Pace;
use crate::cli::RealtimeArgs;
use testbed::free_address;

/// How many rooms.
pub const ROOMS: usize = 100;
/// Messages a second in all of them together, over both nodes in turn.
const PER_S: f64 = 1_000.0;

/// Starts both, and publishes.
pub async fn measure(stage: &Stage, crowd: &Crowd, args: &RealtimeArgs) -> Result<Run> {
    let beside = stage.launcher.beside(2, free_address()?);
    let server = stage.start("node-1").await?;
    let other = beside.start(&stage.variant("node-2")).await?;
    eprintln!("publishing {PER_S} messages a second over two nodes");
    let mut fleet = stage.open_over(crowd, [&stage.launcher, &beside]).await?;
    let time = Duration::from_secs(args.seconds);
    let course = Course { pace: Pace::PerSecond(PER_S), warm_up: WARM_UP, time };
    let (run, _) = stage.run(crowd, &mut fleet, &[&server, &other], course).await?;
    fleet.close().await?;
    server.stop().await?;
    other.stop().await?;
    Ok(run)
}
