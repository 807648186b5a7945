//! The timed phase.

use std::time::Duration;

use anyhow::Result;

use super::Stage;
use super::wanted::{MEMBERSHIP, Wanted};
use crate::cli::RunArgs;
use crate::drive::Driver;
use crate::fixture::Fixture;
use crate::measure::{Processes, Stopwatch, Taken};
use crate::report::Timed;
use crate::request::Request;
use crate::routes::membership::{joins, leaves};
use crate::routes::{self, Route, interactions};
use crate::server::Server;

/// Times every route in turn with the bare one.
pub async fn measure(
    stage: &Stage,
    server: &Server,
    fixture: &Fixture,
    args: &RunArgs,
) -> Result<Vec<Timed>> {
    let Stage { bed, launcher, .. } = stage;
    let renderer = launcher.renderer();
    let processes =
        Processes { server: server.pid(), database: bed.database_pid()?, cache: bed.cache_pid()? };
    let driver = Driver::connect(launcher.address(), args.connections).await?;
    let (warm_up, time) = (Duration::from_secs(args.warm_up), Duration::from_secs(args.seconds));
    let mut watch = Stopwatch::new(driver, processes, warm_up, time);

    let bare = routes::bare(&renderer);
    let quiet = [routes::routes(&renderer, fixture), interactions::reads(&renderer, fixture)].concat();
    let loud = interactions::writes(&renderer, fixture);
    let all = quiet.iter().chain(&loud).chain([&bare]);
    let wanted = Wanted::new(&args.only, all.map(|route| route.name))?;
    let mut of_bare = Taken::default();
    let mut figures = time_routes(&mut watch, &quiet, &wanted, &bare.requests, &mut of_bare).await?;
    if wanted.has_membership() {
        let joins = joins(&renderer, &fixture.rooms, &fixture.joiners, 0);
        let leaves = leaves(&renderer, &fixture.rooms, &fixture.joiners, 0);
        let [joined, left] = watch.alternate(MEMBERSHIP, [joins, leaves], &bare.requests).await?;
        figures.push(joined.figures("join", "POST /client/live/room/user/{live_id}", &mut of_bare));
        figures.push(left.figures("leave", "DELETE /client/live/room/user/{live_id}", &mut of_bare));
    }
    figures.extend(time_routes(&mut watch, &loud, &wanted, &bare.requests, &mut of_bare).await?);
    figures.insert(0, of_bare.figures(bare.name, bare.shown, None));
    Ok(figures)
}

async fn time_routes(
    watch: &mut Stopwatch,
    routes: &[Route],
    wanted: &Wanted<'_>,
    bare: &[Request],
    of_bare: &mut Taken,
) -> Result<Vec<Timed>> {
    let mut figures = Vec::new();
    for route in routes.iter().filter(|route| route.timed && wanted.has(route.name)) {
        let pair = watch.repeat(route.name, &route.requests, bare).await?;
        figures.push(pair.figures(route.name, route.shown, of_bare));
    }
    Ok(figures)
}
