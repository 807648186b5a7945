//! A part of a room's subscribers stops reading: what the others feel of it. Both are measured in turn.

use std::time::Duration;

use anyhow::Result;

use super::crowd::Crowd;
use super::figures::{Run, StalledFigures};
use super::fleet::{Course, delays};
use super::kernel;
use super::stage::Stage;
use super::wire::Pace;
use crate::cli::RealtimeArgs;
use crate::figures::{quotient, real, round};
use crate::server::Server;

/// Of how many one stalls.
const SLOW_OF: usize = 100;
/// Pairs of rounds.
const ROUNDS: u64 = 4;
/// Before a round counts: for small socket buffers to fill when connections stall, and to empty when they go on.
const WARM_UP: Duration = Duration::from_secs(4);

/// Publishes so many messages a second.
pub async fn measure(
    stage: &Stage,
    crowd: &Crowd,
    args: &RealtimeArgs,
    server: &Server,
    per_s: f64,
) -> Result<StalledFigures> {
    let mut fleet = stage.open(crowd, SLOW_OF).await?;
    let time = Duration::from_secs(args.seconds).div_f64(2.0).max(Duration::from_secs(1));
    let course = Course { pace: Pace::PerSecond(per_s), warm_up: WARM_UP, time };
    let mut figures = StalledFigures { stalled: crowd.connections().div_ceil(SLOW_OF), ..Default::default() };
    let (mut reading, mut stalling) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        eprintln!("stalling {} of {} connections, {round} of {ROUNDS}", figures.stalled, crowd.connections());
        fleet.stall(false).await?;
        let (calm, taken) = stage.run(crowd, &mut fleet, &[server], course).await?;
        reading.extend(taken.near);
        fleet.stall(true).await?;
        let (run, taken) = stage.run(crowd, &mut fleet, &[server], course).await?;
        stalling.extend(taken.near);
        figures.rounds.push([calm.near.p99_ms, run.near.p99_ms]);
        figures.run = run;
        figures.unsent_kb_each = unsent_kb_each(stage, figures.stalled)?;
    }
    fleet.stall(false).await?;
    // Those that were stalled must get everything, too.
    let rest = Course { pace: Pace::Listen, warm_up: Duration::ZERO, time: Duration::from_secs(1) };
    let (Run { faults, .. }, _) = stage.run(crowd, &mut fleet, &[server], rest).await?;
    figures.run.faults = faults;
    fleet.close().await?;
    (figures.reading, figures.stalling) = (delays(&reading)?, delays(&stalling)?);
    Ok(figures)
}

/// What the most filled sockets of the server could not send, as many as are stalled.
fn unsent_kb_each(stage: &Stage, stalled: usize) -> Result<f64> {
    let mut unsent = kernel::unsent(stage.launcher.address().port())?;
    unsent.sort_unstable_by(|a, b| b.cmp(a));
    let bytes: u64 = unsent.iter().take(stalled).sum();
    Ok(round(quotient(real(bytes), real(u64::try_from(stalled)?) * 1000.0), 1))
}
