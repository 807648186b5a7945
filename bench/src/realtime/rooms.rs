//! Many connections in small rooms: first they do nothing, then they talk.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use super::crowd::Crowd;
use super::figures::{IdleFigures, Run};
use super::fleet::Course;
use super::kernel::Memory;
use super::stage::{Stage, WARM_UP};
use super::wire::Pace;
use crate::cli::RealtimeArgs;
use crate::figures::{megabytes, quotient, real, round};

/// Messages a second in all rooms together.
const PER_S: f64 = 1_000.0;
/// For a server to come to rest.
const REST: Duration = Duration::from_secs(5);

/// Opens all connections, weighs them, and has them talk if asked to.
pub async fn measure(
    stage: &Stage,
    crowd: &Crowd,
    args: &RealtimeArgs,
    are_talking: bool,
) -> Result<(IdleFigures, Option<Run>)> {
    let server = stage.start("rooms").await?;
    sleep(REST).await;
    let (resident, kernel) = (server.resident()?, Memory::now()?);
    eprintln!("opening {} connections in {} rooms", crowd.connections(), crowd.rooms());
    let begin = Instant::now();
    let mut fleet = stage.open(crowd, 0).await?;
    let opening = begin.elapsed();
    sleep(REST).await;
    let (resident_with, kernel_with) = (server.resident()?, Memory::now()?);

    let count = real(u64::try_from(crowd.connections())?);
    let kb_each =
        |after: u64, before: u64| round(quotient(real(after.saturating_sub(before) / 1000), count), 2);
    let idle = IdleFigures {
        asked: args.connections,
        connections: crowd.connections(),
        rooms: crowd.rooms(),
        opened_per_s: round(quotient(count, opening.as_secs_f64()), 0),
        before_mb: round(megabytes(resident), 1),
        resident_mb: round(megabytes(resident_with), 1),
        kb_each: kb_each(resident_with, resident),
        buffers_kb_each: kb_each(kernel_with.buffers, kernel.buffers),
        records_kb_each: kb_each(kernel_with.records, kernel.records),
    };
    let mut talk = None;
    if are_talking {
        eprintln!("publishing {PER_S} messages a second in them");
        let time = Duration::from_secs(args.seconds);
        let course = Course { pace: Pace::PerSecond(PER_S), warm_up: WARM_UP, time };
        talk = Some(stage.run(crowd, &mut fleet, &[&server], course).await?.0);
    }
    fleet.close().await?;
    server.stop().await?;
    Ok((idle, talk))
}
