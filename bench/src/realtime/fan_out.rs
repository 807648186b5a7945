//! One large room: how much it delivers at most, how fast at half of that, and what a bare writer does.

use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::time::sleep;

use super::bare::{Bare, Job};
use super::clock::{nanos, now};
use super::crowd::Crowd;
use super::figures::{BareFigures, FanOutFigures, Run, StalledFigures};
use super::fleet::{Course, Fleet, delays};
use super::judge::DELIVERIES_PER_S;
use super::stage::{Stage, WARM_UP};
use super::stalled;
use super::wire::Pace;
use crate::cli::RealtimeArgs;
use crate::figures::{quotient, real, round};
use crate::probe::process;
use crate::server::Server;

/// Messages on their way when a room is saturated: enough for several in one write, and far from the cap of a
/// connection's queue.
const WINDOW: u64 = 64;
/// For connections that were closed to be gone.
const REST: Duration = Duration::from_secs(1);
/// The bare writer goes on until nothing is counted any more.
const BARE_LEAD: Duration = Duration::from_secs(1);

/// Measures the room, and its stalled subscribers if asked to.
pub async fn measure(
    stage: &Stage,
    crowd: &Crowd,
    args: &RealtimeArgs,
    are_stalling: bool,
) -> Result<(FanOutFigures, Option<StalledFigures>)> {
    let server = stage.start("fan-out").await?;
    eprintln!("opening {} connections in one room", crowd.connections());
    let mut fleet = stage.open(crowd, 0).await?;
    let [saturated, half, half_of_limit] = talk(stage, crowd, args, &mut fleet, &server).await?;
    fleet.close().await?;
    let bare = bare(stage, crowd, args, &saturated, &half).await?;
    let stalled = match are_stalling {
        true => {
            sleep(REST).await;
            Some(stalled::measure(stage, crowd, args, &server, half.asked_per_s.unwrap_or_default()).await?)
        }
        false => None,
    };
    server.stop().await?;
    Ok((FanOutFigures { saturated, half, half_of_limit, bare }, stalled))
}

async fn talk(
    stage: &Stage,
    crowd: &Crowd,
    args: &RealtimeArgs,
    fleet: &mut Fleet,
    server: &Server,
) -> Result<[Run; 3]> {
    let time = Duration::from_secs(args.seconds);
    eprintln!("publishing as fast as all get it");
    let course = Course { pace: Pace::Window(WINDOW), warm_up: WARM_UP, time };
    let (saturated, _) = stage.run(crowd, fleet, &[server], course).await?;
    let connections = real(u64::try_from(crowd.connections())?);
    let mut halves = Vec::new();
    for deliveries_per_s in [saturated.deliveries_per_s.max(DELIVERIES_PER_S) / 2.0, DELIVERIES_PER_S / 2.0] {
        let rate = quotient(deliveries_per_s, connections);
        eprintln!("publishing {rate:.1} messages a second");
        let course = Course { pace: Pace::PerSecond(rate), ..course };
        halves.push(stage.run(crowd, fleet, &[server], course).await?.0);
    }
    let [half, half_of_limit] = halves.try_into().map_err(|_| anyhow!("two paces make two runs"))?;
    Ok([saturated, half, half_of_limit])
}

/// The same bytes by a bare writer: a message in a write, as many as the server's subscribers read at once, and at
/// the pace of the half.
async fn bare(
    stage: &Stage,
    crowd: &Crowd,
    args: &RealtimeArgs,
    saturated: &Run,
    half: &Run,
) -> Result<Vec<BareFigures>> {
    eprintln!("writing the same by a bare writer");
    let bare = Bare::start()?;
    let mut fleet = stage.seat(crowd.plans(&[bare.address], usize::from(args.processes), 0)).await?;
    let length = whole(saturated.bytes_each, 4);
    let mut figures = Vec::new();
    for (batch, per_s) in [(1, None), (whole(saturated.per_read, 0).max(2), None), (1, half.asked_per_s)] {
        figures.push(write(&bare, &mut fleet, args, batch, length, per_s).await?);
    }
    fleet.close().await?;
    Ok(figures)
}

async fn write(
    bare: &Bare,
    fleet: &mut Fleet,
    args: &RealtimeArgs,
    batch: usize,
    length: usize,
    per_s: Option<f64>,
) -> Result<BareFigures> {
    let course = Course { pace: Pace::Listen, warm_up: WARM_UP, time: Duration::from_secs(args.seconds) };
    let end = now() + nanos(course.warm_up + course.time + BARE_LEAD);
    let distance = per_s.map(|rate| Duration::try_from_secs_f64(quotient(1.0, rate))).transpose()?;
    let distance = distance.map_or(0, nanos);
    bare.write(Job { batch, length, distance, end })?;
    let own = std::process::id();
    let (taken, [before, after]) = fleet.measure(course, || process::cpu(own)).await?;
    let (bytes_each, _) = taken.per_delivery();
    Ok(BareFigures {
        asked_per_s: per_s,
        per_write: batch,
        deliveries_per_s: round(taken.deliveries_per_s(), 0),
        bytes_each: round(bytes_each, 0),
        delays: delays(&taken.near)?,
        writer_cpu: round(quotient(after.saturating_sub(before).as_secs_f64(), taken.seconds), 2),
        generator_cpu: taken.generator_cpu(),
    })
}

/// A small figure as a count, less so much for the frame's head.
fn whole(figure: f64, less: usize) -> usize {
    // Through a duration: casts of reals are not allowed here, and this rounds as well.
    let rounded = Duration::try_from_secs_f64(figure.round()).unwrap_or_default().as_secs();
    usize::try_from(rounded).unwrap_or_default().saturating_sub(less)
}
