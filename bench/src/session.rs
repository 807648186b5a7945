//! The order of events of `run` and `check`.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::sleep;

use crate::bed::{Bed, free_address};
use crate::cli::{CheckArgs, CommonArgs, RunArgs};
use crate::count::{Counter, PARTS};
use crate::drive::Driver;
use crate::figures::{megabytes, round};
use crate::fixture::Fixture;
use crate::measure::{Processes, Stopwatch, Taken};
use crate::probe::cache::CacheProxy;
use crate::probe::sql::SqlProbe;
use crate::report::{Counted, ProcessFigures, Report, Timed};
use crate::request::Renderer;
use crate::routes::{self, Route};
use crate::server::{Launcher, Server, Variant};
use crate::tally::{Subject, Tally};
use crate::{judge, silent, table};

/// Long enough that no viewer of the fixture falls silent while others are measured.
const NEVER_S: u64 = 3_600;
/// The time-out of a default configuration.
const TIMEOUT_S: u64 = 20;
const IDLE: Duration = Duration::from_secs(3);
/// Routes that are no [`Route`]: joining and leaving.
const MEMBERSHIP: [&str; 2] = ["join", "leave"];

/// The whole benchmark; false when a limit is exceeded.
pub async fn run(args: &RunArgs) -> Result<bool> {
    let (bed, launcher) = prepare(&args.common).await?;
    let (fixture, counted, ready_empty) = count(&bed, &launcher, &args.common, &args.only).await?;
    let mut report = Report { connections: args.connections, counted, ..blank() };

    let server = launcher
        .start(Variant { name: "timed", cache: bed.cache.address, viewer_timeout_s: NEVER_S })
        .await?;
    let mut ready = server.ready_in;
    sleep(IDLE).await;
    let idle = server.resident()?;
    report.timed = time(&bed, &launcher, &server, &fixture, args).await?;
    let busy = server.resident()?;
    server.stop().await?;

    if !args.skip_silent {
        let variant = Variant { name: "silent", cache: bed.cache.address, viewer_timeout_s: TIMEOUT_S };
        let server = launcher.start(variant).await?;
        ready = ready.max(server.ready_in);
        let scene = silent::Scene { viewers: args.silent, rooms: args.silent_rooms, timeout_s: TIMEOUT_S };
        report.silent = Some(silent::measure(&bed, &launcher, &server, &fixture, scene).await?);
        server.stop().await?;
    }
    let ms = |time: Duration| round(time.as_secs_f64() * 1000.0, 1);
    report.process = Some(ProcessFigures {
        ready_empty_ms: ms(ready_empty),
        ready_ms: ms(ready),
        idle_mb: round(megabytes(idle), 1),
        busy_mb: round(megabytes(busy), 1),
    });
    finish(report, &args.common)
}

/// The counted phase alone; false when a limit is exceeded.
pub async fn check(args: &CheckArgs) -> Result<bool> {
    let (bed, launcher) = prepare(&args.common).await?;
    let (_, counted, _) = count(&bed, &launcher, &args.common, &[]).await?;
    finish(Report { counted, ..blank() }, &args.common)
}

async fn prepare(common: &CommonArgs) -> Result<(Bed, Launcher)> {
    let bed = Bed::start(common.keep).await?;
    let launcher = Launcher::new(common.server.as_deref(), &bed, free_address()?)?;
    Ok((bed, launcher))
}

fn blank() -> Report {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    Report { taken_at: chrono::Utc::now().to_rfc3339(), cores, ..Report::default() }
}

fn finish(mut report: Report, common: &CommonArgs) -> Result<bool> {
    report.verdicts = judge::counts(&report.counted);
    report.verdicts.extend(judge::times(&report.timed));
    report.verdicts.extend(report.process.iter().flat_map(judge::process));
    report.verdicts.extend(report.silent.iter().flat_map(judge::silent));
    table::print(&report);
    if let Some(path) = &common.json {
        report.save(path)?;
    }
    let mut within = true;
    for verdict in report.verdicts.iter().filter(|verdict| !verdict.within) {
        within = false;
        eprintln!("over the limit: {}: {}, allowed {}", verdict.what, verdict.figure, verdict.limit);
    }
    Ok(within)
}

/// Starts a server on the empty database behind the counting proxy, makes the data, and counts.
async fn count(
    bed: &Bed,
    launcher: &Launcher,
    common: &CommonArgs,
    only: &[String],
) -> Result<(Fixture, Vec<Counted>, Duration)> {
    bed.database.flush_commits(false).await?;
    let proxy = CacheProxy::start(bed.cache.address).await?;
    let mut sql = SqlProbe::connect(&bed.database.options()).await?;
    sql.prove(&bed.database.options()).await?;
    let server =
        launcher.start(Variant { name: "counted", cache: proxy.address, viewer_timeout_s: NEVER_S }).await?;
    let renderer = launcher.renderer();
    let fixture = Fixture::create(launcher.address(), &renderer).await?;
    let all = [vec![routes::bare(&renderer)], routes::routes(&renderer, &fixture)].concat();
    let wanted = Wanted::new(only, &all)?;

    let idle = Duration::from_secs(common.idle);
    let mut counter = Counter::start(launcher.address(), &mut sql, &proxy, idle).await?;
    let count = usize::try_from(common.requests)?;
    let mut counted = Vec::new();
    for route in all.iter().filter(|route| wanted.has(route.name)) {
        let requests = route.warm_requests();
        counter.warm(requests).await?;
        let subject = Subject { name: route.name, shown: route.shown, limits: route.limits };
        counted.push(counter.count(subject, requests, count).await?);
    }
    if MEMBERSHIP.iter().any(|name| wanted.has(name)) {
        counted.extend(count_membership(&mut counter, &renderer, &fixture, count).await?);
    }
    let ready = server.ready_in;
    server.stop().await?;
    bed.database.flush_commits(true).await?;
    Ok((fixture, counted, ready))
}

/// Counts joins and leaves in groups of users: each goes through all passes while what the server remembers of its
/// users is still warm.
async fn count_membership(
    counter: &mut Counter<'_>,
    renderer: &Renderer,
    fixture: &Fixture,
    count: usize,
) -> Result<Vec<Counted>> {
    let people = fixture.joiners.get(..count).unwrap_or(&fixture.joiners);
    let groups = people.chunks(people.len().div_ceil(PARTS));
    let anchored = fixture.rooms.chunks(fixture.rooms.len().div_ceil(PARTS));
    let mut tallies: Vec<(Subject<'_>, Tally)> = Vec::new();
    for (number, (group, own)) in groups.zip(anchored).enumerate() {
        eprintln!("counting joins and leaves, {} of {PARTS}", number + 1);
        counter.warm(&routes::greetings(renderer, &fixture.rooms, group)).await?;
        for (number, pass) in routes::passes(renderer, &fixture.rooms, group, own).iter().enumerate() {
            if tallies.len() == number {
                let subject = Subject { name: pass.name, shown: pass.shown, limits: pass.limits };
                tallies.push((subject, Tally::default()));
            }
            let Some((_, tally)) = tallies.get_mut(number) else { continue };
            if let Some((last, others)) = pass.requests.split_last() {
                counter.part(tally, others.iter()).await?;
                counter.explain(tally, last).await?;
            }
        }
    }
    Ok(tallies.into_iter().map(|(subject, tally)| tally.counted(subject)).collect())
}

/// Times every route; the bare one first, in the middle and last, since the machine changes its pace.
async fn time(
    bed: &Bed,
    launcher: &Launcher,
    server: &Server,
    fixture: &Fixture,
    args: &RunArgs,
) -> Result<Vec<Timed>> {
    let renderer = launcher.renderer();
    let processes =
        Processes { server: server.pid(), database: bed.database.process.pid, cache: bed.cache.process.pid };
    let driver = Driver::connect(launcher.address(), args.connections).await?;
    let (warm_up, time) = (Duration::from_secs(args.warm_up), Duration::from_secs(args.seconds));
    let mut watch = Stopwatch::new(driver, processes, warm_up, time);

    let bare = routes::bare(&renderer);
    let routes = routes::routes(&renderer, fixture);
    let wanted = Wanted::new(&args.only, &routes)?;
    let chosen: Vec<&Route> = routes.iter().filter(|route| route.timed && wanted.has(route.name)).collect();
    let mut of_bare = watch.repeat(bare.name, &bare.requests).await?;
    let mut taken: Vec<(&str, &str, Taken)> = Vec::new();
    for (number, route) in chosen.iter().enumerate() {
        taken.push((route.name, route.shown, watch.repeat(route.name, &route.requests).await?));
        if number == chosen.len() / 2 {
            of_bare.add(watch.repeat(bare.name, &bare.requests).await?);
        }
    }
    if MEMBERSHIP.iter().any(|name| wanted.has(name)) {
        let joins = routes::joins(&renderer, &fixture.rooms, &fixture.joiners, 0);
        let leaves = routes::leaves(&renderer, &fixture.rooms, &fixture.joiners, 0);
        let [joined, left] = watch.alternate(MEMBERSHIP, [joins, leaves]).await?;
        taken.push(("join", "POST /client/live/room/user/{live_id}", joined));
        taken.push(("leave", "DELETE /client/live/room/user/{live_id}", left));
    }
    of_bare.add(watch.repeat(bare.name, &bare.requests).await?);
    let bare = of_bare.figures(bare.name, bare.shown, None);
    let others = taken.into_iter().map(|(name, shown, taken)| taken.figures(name, shown, Some(&bare)));
    let mut figures: Vec<Timed> = others.collect();
    figures.insert(0, bare);
    Ok(figures)
}

/// Which routes were asked for.
#[derive(Debug)]
struct Wanted<'a>(&'a [String]);

impl<'a> Wanted<'a> {
    fn new(only: &'a [String], routes: &[Route]) -> Result<Self> {
        let known: Vec<&str> = routes.iter().map(|route| route.name).chain(MEMBERSHIP).collect();
        match only.iter().find(|name| *name != "bare" && !known.contains(&name.as_str())) {
            Some(name) => bail!("no route {name}; there are {}", known.join(", ")),
            None => Ok(Self(only)),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| wanted == name)
    }
}
