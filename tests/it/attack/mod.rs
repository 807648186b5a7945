//! The attack: what swamped servers before, all at once and at full speed. The server stays small, and others are
//! served as if nothing were.
//!
//! `LIVELOOM_ATTACK_SECONDS` (`make test-long`) means the whole of it for so long; else it is a short one, which does
//! not ask how long others wait: other tests run beside it. Attackers come from many addresses of this machine, so
//! that limits of one address alone do not hold them.

mod bystanders;
mod frames;
mod heads;
mod nests;
mod rows;
mod strangers;
mod tally;
mod target;
mod videos;

use std::time::{Duration, Instant};

use config::LimitsConfig;
use rstest::rstest;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use self::bystanders::{Bystanders, Verdict};
use self::target::Target;
use crate::support::cgroup::Cgroup;
use crate::support::memory::memory_of;
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::wait_until;

const MIB: usize = 1 << 20;
/// What the server may take.
const MEMORY: usize = 400 * MIB;
/// What its cgroup may: it counts files and the buffers of sockets too.
const CGROUP: u64 = 1 << 30;
/// How long almost all calls of others take at most.
const P99: Duration = Duration::from_millis(500);
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(100);
const SOON: Duration = Duration::from_secs(60);

/// How much is done.
struct Extent {
    is_whole: bool,
    lasts: Duration,
    sockets: usize,
    heads: usize,
}

impl Extent {
    fn of_environment() -> Self {
        match std::env::var("LIVELOOM_ATTACK_SECONDS") {
            Ok(text) => {
                let seconds = text.parse().expect("LIVELOOM_ATTACK_SECONDS is a number");
                Self {
                    is_whole: true,
                    lasts: Duration::from_secs(seconds),
                    sockets: 64,
                    heads: heads_at_most(8000),
                }
            }
            Err(_) => Self { is_whole: false, lasts: Duration::from_secs(3), sockets: 16, heads: 500 },
        }
    }
}

/// The limits as shipped, where those of tests are wider. Only one address of this machine passes for its own.
fn settings() -> String {
    let limits = serde_json::to_string(&LimitsConfig::default()).unwrap();
    format!("limits: {limits}\nauth: {{server: {{allow: ['127.0.0.1/32']}}}}")
}

/// So many as the limit of open files allows, which is raised as far as it goes.
fn heads_at_most(wanted: usize) -> usize {
    /// For everything else.
    const OTHERS: u64 = 1000;
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .expect("the limit of open files is raised");
    let allowed = maximum.map_or(u64::MAX, |most| most.saturating_sub(OTHERS));
    wanted.min(usize::try_from(allowed).unwrap())
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_under_attack_stays_small_and_serves_others(#[case] backend: Backend) {
    let extent = Extent::of_environment();
    let (cgroup, mut server) = start(backend).await;
    let bystanders = Bystanders::gather(&server).await;
    let (attacker, stranger) = (server.client_of("attacker").await, server.client_of("stranger").await);
    let room = attacker.go_live("attack").await;
    let live_id = room["live_id"].as_str().unwrap();
    let before = memory_of(server.pid()).peak;
    let target = Target::new(server.setup().port(), Instant::now() + extent.lasts);
    let watched = bystanders.watch(target.end());
    let under_attack = async {
        tokio::join!(
            frames::attack(&target, extent.sockets),
            heads::attack(&target, extent.heads, attacker.token()),
            nests::attack(&target),
            rows::attack(&target, &attacker, live_id),
            strangers::attack(&target, &stranger),
            videos::attack(&target),
        )
    };
    let (frames, heads, nests, rows, strangers, videos) = tokio::select! {
        tallies = under_attack => tallies,
        peak = grows_beyond(server.pid()) => panic!("{} MiB are more than {}", peak / MIB, MEMORY / MIB),
    };
    let verdict = watched.await.expect("the bystanders come to a verdict");
    let after = memory_of(server.pid()).peak;
    eprintln!(
        "attack on {backend:?}, {:?}: {} MiB before, at most {} MiB, of the cgroup {:?} MiB; others: {verdict}\n  \
         frames: {frames}\n  heads ({}): {heads}\n  nests: {nests}\n  rows: {rows}\n  strangers: {strangers}\n  videos: {videos}",
        extent.lasts,
        before / MIB,
        after / MIB,
        cgroup.as_ref().and_then(Cgroup::peak).map(|bytes| bytes >> 20),
        extent.heads,
    );
    frames.assert_only(frames::EXPECTED);
    heads.assert_only(heads::EXPECTED);
    nests.assert_only(nests::EXPECTED);
    rows.assert_only(rows::EXPECTED);
    strangers.assert_only(strangers::EXPECTED);
    videos.assert_only(videos::EXPECTED);
    rows::assert_bounded(&server, extent.lasts).await;
    assert_others_were_served(&verdict, &extent);
    is_well(&mut server).await;
}

/// A server in a cgroup of its own, where one can be made; that can be removed once the server has ended, and so is the
/// first.
async fn start(backend: Backend) -> (Option<Cgroup>, ServerProcess) {
    let server = Setup::new(backend).await.with(&settings()).start().await;
    (Cgroup::around(server.pid(), CGROUP), server)
}

/// Ends when the server has taken more than it may: before the machine is full.
async fn grows_beyond(pid: u32) -> usize {
    loop {
        tokio::time::sleep(LOOK).await;
        let peak = memory_of(pid).peak;
        if peak > MEMORY {
            return peak;
        }
    }
}

fn assert_others_were_served(verdict: &Verdict, extent: &Extent) {
    assert!(verdict.calls > 0, "nobody was there");
    assert!(verdict.failures.is_empty(), "{} failed: {:?}", verdict.failures.len(), verdict.failures);
    assert!(!extent.is_whole || verdict.p99 < P99, "others waited for {:?}", verdict.p99);
}

/// The attack leaves nothing behind: the server is ready, and stops in good order.
async fn is_well(server: &mut ServerProcess) {
    let client = server.client();
    wait_until("the server is ready", SOON, async || {
        client.try_get("/readyz").await.is_some_and(|answer| answer.status == 200)
    })
    .await;
    server.client_of("anchor-after").await.go_live("after").await;
    assert!(server.terminate(SOON).await.success());
}
