//! The order of events of `run` and `check`.

mod counted;
mod timed;
mod wanted;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use self::counted::CountedPhase;
use crate::bed::Bed;
use crate::cli::{CheckArgs, CommonArgs, RealtimeArgs, RunArgs};
use crate::figures::{megabytes, round};
use crate::peers::{Receiver, Rtc};
use crate::report::{OutboxFigures, ProcessFigures, Report};
use crate::server::{Launcher, Variant};
use crate::{judge, outbox, realtime, silent, table};
use testbed::free_address;

/// Long enough that no viewer of the fixture falls silent while others are measured.
const NEVER_S: u64 = 3_600;
/// The time-out of a default configuration.
const TIMEOUT_S: u64 = 20;
const IDLE: Duration = Duration::from_secs(3);

/// What every phase needs.
#[derive(Debug)]
struct Stage {
    bed: Bed,
    launcher: Launcher,
    rtc: Rtc,
}

/// The whole benchmark; false when a limit is exceeded.
pub async fn run(args: &RunArgs) -> Result<bool> {
    let stage = Stage::prepare(&args.common).await?;
    let (bed, launcher) = (&stage.bed, &stage.launcher);
    let CountedPhase { fixture, counted, seats, flush, ready: ready_empty } =
        counted::measure(&stage, &args.common, &args.only).await?;
    let mut report = Report { connections: args.connections, counted, seats, flush, ..blank() };

    let server = launcher.start(&stage.variant("timed")).await?;
    let mut ready = server.ready_in;
    sleep(IDLE).await;
    let idle = server.resident()?;
    report.timed = timed::measure(&stage, &server, &fixture, args).await?;
    let busy = server.resident()?;
    server.stop().await?;

    if !args.skip_outbox {
        report.outbox = Some(stage.callbacks(args, &fixture.joiners).await?);
    }
    if !args.skip_silent {
        let variant = Variant { viewer_timeout_s: TIMEOUT_S, ..stage.variant("silent") };
        let server = launcher.start(&variant).await?;
        ready = ready.max(server.ready_in);
        let scene = silent::Scene { viewers: args.silent, rooms: args.silent_rooms, timeout_s: TIMEOUT_S };
        report.silent = Some(silent::measure(bed, launcher, &server, &fixture, scene).await?);
        server.stop().await?;
    }
    let ms = |time: Duration| round(time.as_secs_f64() * 1000.0, 1);
    report.process = Some(ProcessFigures {
        ready_empty_ms: ms(ready_empty),
        ready_ms: ms(ready),
        idle_mb: round(megabytes(idle), 1),
        busy_mb: round(megabytes(busy), 1),
    });
    finish(report, args.common.json.as_deref())
}

/// The counted phase alone; false when a limit is exceeded.
pub async fn check(args: &CheckArgs) -> Result<bool> {
    let stage = Stage::prepare(&args.common).await?;
    let CountedPhase { counted, seats, flush, .. } = counted::measure(&stage, &args.common, &[]).await?;
    finish(Report { counted, seats, flush, ..blank() }, args.common.json.as_deref())
}

/// Messages over WebSocket; false when a limit is exceeded.
pub async fn realtime(args: &RealtimeArgs) -> Result<bool> {
    let figures = realtime::measure(args).await?;
    finish(Report { realtime: Some(figures), ..blank() }, args.json.as_deref())
}

impl Stage {
    async fn prepare(common: &CommonArgs) -> Result<Self> {
        let (bed, rtc) = (Bed::start(common.keep).await?, Rtc::start()?);
        let launcher = Launcher::new(common.server.as_deref(), &bed, free_address()?, rtc.url())?;
        Ok(Self { bed, launcher, rtc })
    }

    /// A server over the cache itself that nobody falls silent on.
    fn variant(&self, name: &'static str) -> Variant {
        let cache = self.bed.cache.addr;
        Variant { name, cache, viewer_timeout_s: NEVER_S, callbacks: None, is_realtime: false }
    }

    async fn callbacks(&self, args: &RunArgs, anchors: &[crate::fixture::Person]) -> Result<OutboxFigures> {
        let receiver = Receiver::start()?;
        let variant = Variant { callbacks: Some(receiver.url()), ..self.variant("outbox") };
        let scene = outbox::Scene { events: args.backlog, rooms: args.backlog_rooms };
        outbox::measure(&self.bed, &self.launcher, scene, &variant, &receiver, anchors).await
    }
}

fn blank() -> Report {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    Report { taken_at: chrono::Utc::now().to_rfc3339(), cores, ..Report::default() }
}

fn finish(mut report: Report, json: Option<&Path>) -> Result<bool> {
    report.verdicts = judge::all(&report);
    table::print(&report);
    if let Some(path) = json {
        report.save(path)?;
    }
    let mut within = true;
    for verdict in report.verdicts.iter().filter(|verdict| !verdict.within) {
        within = false;
        eprintln!("over the limit: {}: {}, allowed {}", verdict.what, verdict.figure, verdict.limit);
    }
    Ok(within)
}
