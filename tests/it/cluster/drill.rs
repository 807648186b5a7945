//! The drill: under load everything fails once, and nothing that was acknowledged is lost.
//!
//! `LIVELOOM_CLUSTER=full` (`make test-cluster`) means every fault for 10 s, and 100,000 requests during a rolling
//! restart; else some faults for 3 s, and fewer requests.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::faults::Fault;
use super::meter::Meter;
use super::stage::Stage;
use super::table::{Line, Table};
use super::{leader, rolling, watched};
use crate::support::load::{Load, verdict};

/// Users who ask for things at a steady pace.
const PROBERS: usize = 6;
/// After the end of a fault, requests succeed within so long.
const RECOVERY: Duration = Duration::from_secs(10);

/// How much is done.
struct Extent {
    is_full: bool,
    /// How long a fault lasts.
    hold: Duration,
    requests: usize,
    followers: usize,
}

impl Extent {
    fn of_environment() -> Self {
        match std::env::var("LIVELOOM_CLUSTER").as_deref() {
            Ok("full") => {
                Self { is_full: true, hold: Duration::from_secs(10), requests: 100_000, followers: 100 }
            }
            _ => Self { is_full: false, hold: Duration::from_secs(3), requests: 3_000, followers: 20 },
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_whatever_fails() {
    let extent = Extent::of_environment();
    let begun = Instant::now();
    let stage = Stage::set().await;
    eprintln!("cluster: ready after {:?}, in {}", begun.elapsed(), stage.folder().display());
    let load = Load::start(&stage.world).await;
    leader::drill(&stage).await;
    let probers =
        join_all((0..PROBERS).map(async |number| stage.guest(&format!("prober-{number}")).await)).await;
    let meter = Meter::start(&stage.live_id, probers);
    let table = faults(&stage, &meter, &extent).await;
    eprintln!("{table}");
    watched::drill(&stage).await;
    let progress = stage.world.progress(&load).await;
    meter.stop().await;
    let done = load.stop().await;
    eprintln!("cluster: the load has ended, {:?}: {progress}; {done}", begun.elapsed());
    verdict::agree(&stage.world, &done).await;
    eprintln!("cluster: all ledgers agree, {:?}", begun.elapsed());
    rolling::drill(&stage, extent.requests, extent.followers).await;
    eprintln!("cluster: done, {:?}", begun.elapsed());
    stage.cluster.stop().await;
}

async fn faults(stage: &Stage, meter: &Meter, extent: &Extent) -> Table {
    let cluster = &stage.cluster;
    let masters = cluster.redis().masters().await.unwrap();
    let faults = if extent.is_full { Fault::all(&masters) } else { Fault::some(&masters) };
    let mut table = Table::default();
    for fault in faults {
        let begun = Instant::now();
        fault.begin(cluster).await;
        tokio::time::sleep(extent.hold).await;
        fault.end(cluster).await;
        let ended = Instant::now();
        let recovery = meter.calm_after(ended, RECOVERY).await;
        let count = meter.since(begun);
        let line = Line {
            fault: fault.name(),
            lasted: ended - begun,
            requests: count.requests,
            errors: count.errors,
            recovery,
        };
        eprintln!(
            "cluster: {}: {} errors of {} requests, recovery {recovery:?}",
            line.fault, line.errors, line.requests
        );
        table.0.push(line);
        fault.settle(cluster).await;
    }
    table
}
