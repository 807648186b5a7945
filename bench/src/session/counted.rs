//! The counted phase: a server behind the counting proxy, on a database that is empty at first.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::Stage;
use super::wanted::Wanted;
use crate::cli::CommonArgs;
use crate::count::{Counter, GROUPS};
use crate::fixture::Fixture;
use crate::fixture::interactions::GUESTS;
use crate::flush;
use crate::probe::cache::CacheProxy;
use crate::probe::sql::SqlProbe;
use crate::report::{Counted, FlushFigures, SeatFigures};
use crate::request::Renderer;
use crate::routes::interactions::{self, SEAT_LIST};
use crate::routes::membership::{greetings, passes};
use crate::routes::{self, Route};
use crate::server::Variant;
use crate::tally::{Subject, Tally};

/// Longer than the server remembers an answer of the RTC service, shorter than it remembers users.
const FORGOTTEN: Duration = Duration::from_millis(2_500);

/// What the phase has found, and made.
#[derive(Debug)]
pub struct CountedPhase {
    /// The data.
    pub fixture: Fixture,
    /// Figures per request.
    pub counted: Vec<Counted>,
    /// Calls of the RTC service.
    pub seats: Option<SeatFigures>,
    /// Likes that are written at once.
    pub flush: Option<FlushFigures>,
    /// Start to ready on the empty database.
    pub ready: Duration,
}

/// Makes the data and counts.
pub async fn measure(stage: &Stage, common: &CommonArgs, only: &[String]) -> Result<CountedPhase> {
    let Stage { bed, launcher, rtc } = stage;
    bed.flush_commits(false).await?;
    let proxy = CacheProxy::start(bed.cache.addr).await?;
    let mut sql = SqlProbe::connect(&bed.database.options()).await?;
    sql.prove(&bed.database.options()).await?;
    let variant = Variant { cache: proxy.address, ..stage.variant("counted") };
    let server = launcher.start(&variant).await?;
    let renderer = launcher.renderer();
    let fixture = Fixture::create(launcher.address(), &renderer).await?;
    for (live_id, guests) in &fixture.seats {
        rtc.put_in(live_id, guests.clone());
    }
    let quiet = [
        vec![routes::bare(&renderer)],
        routes::routes(&renderer, &fixture),
        interactions::reads(&renderer, &fixture),
    ]
    .concat();
    let loud = interactions::writes(&renderer, &fixture);
    let wanted = Wanted::new(only, quiet.iter().chain(&loud).map(|route| route.name))?;

    let idle = Duration::from_secs(common.idle);
    let mut counter = Counter::start(launcher.address(), &mut sql, &proxy, idle).await?;
    let count = usize::try_from(common.requests)?;
    let mut counted = count_routes(&mut counter, &quiet, &wanted, count).await?;
    let seats = match wanted.has(SEAT_LIST) {
        true => Some(count_rtc_calls(stage, &mut counter, &renderer, &fixture).await?),
        false => None,
    };
    if wanted.has_membership() {
        counted.extend(count_membership(&mut counter, &renderer, &fixture, count).await?);
    }
    counted.extend(count_routes(&mut counter, &loud, &wanted, count).await?);
    let flush = match wanted.has(flush::NAME) {
        true => Some(flush::measure(bed, &fixture.rooms).await?),
        false => None,
    };
    let ready = server.ready_in;
    server.stop().await?;
    bed.flush_commits(true).await?;
    Ok(CountedPhase { fixture, counted, seats, flush, ready })
}

async fn count_routes(
    counter: &mut Counter<'_>,
    routes: &[Route],
    wanted: &Wanted<'_>,
    count: usize,
) -> Result<Vec<Counted>> {
    let mut counted = Vec::new();
    for route in routes.iter().filter(|route| wanted.has(route.name)) {
        let requests = route.warm_requests();
        counter.warm(requests).await?;
        let Route { name, shown, limits, by, .. } = *route;
        counted.push(counter.count(Subject { name, shown, limits, by }, requests, count).await?);
    }
    Ok(counted)
}

/// Lists the seats of every room when nothing is remembered of who is online in them.
async fn count_rtc_calls(
    stage: &Stage,
    counter: &mut Counter<'_>,
    renderer: &Renderer,
    fixture: &Fixture,
) -> Result<SeatFigures> {
    eprintln!("counting calls of the RTC service");
    let lists = interactions::seat_list_of_each(renderer, fixture);
    sleep(FORGOTTEN).await;
    let before = stage.rtc.calls();
    counter.warm(&lists).await?;
    Ok(SeatFigures {
        lists: u64::try_from(lists.len())?,
        guests: u64::try_from(GUESTS)?,
        calls: stage.rtc.calls() - before,
    })
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
    let groups = people.chunks(people.len().div_ceil(GROUPS));
    let anchored = fixture.rooms.chunks(fixture.rooms.len().div_ceil(GROUPS));
    let mut tallies: Vec<(Subject<'_>, Tally)> = Vec::new();
    for (number, (group, own)) in groups.zip(anchored).enumerate() {
        eprintln!("counting joins and leaves, {} of {GROUPS}", number + 1);
        counter.warm(&greetings(renderer, &fixture.rooms, group)).await?;
        for (number, pass) in passes(renderer, &fixture.rooms, group, own).iter().enumerate() {
            if tallies.len() == number {
                let subject =
                    Subject { name: pass.name, shown: pass.shown, limits: pass.limits, by: pass.by };
                tallies.push((subject, Tally::default()));
            }
            let Some((_, tally)) = tallies.get_mut(number) else { continue };
            if let Some((last, others)) = pass.requests.split_last() {
                counter.group(tally, &others.iter().collect::<Vec<_>>(), pass.by).await?;
                counter.explain(tally, last).await?;
            }
        }
    }
    Ok(tallies.into_iter().map(|(subject, tally)| tally.counted(subject)).collect())
}
