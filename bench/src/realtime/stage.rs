//! What every scene of the realtime benchmark needs.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use super::crowd::Crowd;
use super::figures::{Cpu, FaultFigures, Run};
use super::fleet::{Course, Faults, Fleet, Taken, delays};
use super::kernel;
use super::wire::{Pace, Seat};
use crate::bed::Bed;
use crate::cli::RealtimeArgs;
use crate::figures::{quotient, real, round};
use crate::probe::process;
use crate::server::{Launcher, Server, Variant};
use testbed::free_address;

/// What is published before the clock starts.
pub const WARM_UP: Duration = Duration::from_secs(2);
/// Longer than anything is measured: users who are not connected stay in their rooms.
const NEVER_S: u64 = 3_600;
/// Nobody gives seats here, so that no RTC service is asked.
const NO_RTC: &str = "http://127.0.0.1:9";

/// Databases, and what starts servers over them.
#[derive(Debug)]
pub struct Stage {
    /// The databases.
    pub bed: Bed,
    /// Starts servers.
    pub launcher: Launcher,
    /// How many connections the limit of open files leaves to one process.
    pub most_connections: usize,
    /// How many processes the generator has.
    processes: usize,
}

/// CPU time of the processes that are not the generator's.
#[derive(Clone, Debug)]
pub struct Spent {
    servers: Vec<Duration>,
    database: Duration,
    cache: Duration,
}

impl Stage {
    /// Starts the databases.
    pub async fn prepare(args: &RealtimeArgs) -> Result<Self> {
        let most_connections = kernel::raise_open_files()?;
        let bed = Bed::start(args.keep).await?;
        // What is measured here writes no rows that matter; making the users does.
        bed.flush_commits(false).await?;
        let launcher = Launcher::new(args.server.as_deref(), &bed, free_address()?, NO_RTC.to_owned())?;
        Ok(Self { bed, launcher, most_connections, processes: usize::from(args.processes) })
    }

    /// Starts a server without limits on publishing.
    pub async fn start(&self, name: &'static str) -> Result<Server> {
        self.launcher.start(&self.variant(name)).await
    }

    /// How servers differ from the defaults here.
    pub fn variant(&self, name: &'static str) -> Variant {
        let cache = self.bed.cache.addr;
        Variant { name, cache, viewer_timeout_s: NEVER_S, callbacks: None, is_realtime: true }
    }

    /// Opens the connections of a crowd to one server.
    pub async fn open(&self, crowd: &Crowd, slow_of: usize) -> Result<Fleet> {
        self.seat(crowd.plans(&[self.launcher.address()], self.processes, slow_of)).await
    }

    /// Opens the connections of a crowd, divided among the servers.
    pub async fn open_over(&self, crowd: &Crowd, nodes: [&Launcher; 2]) -> Result<Fleet> {
        self.seat(crowd.plans(&nodes.map(Launcher::address), self.processes, 0)).await
    }

    /// Opens the connections of plans.
    pub async fn seat(&self, plans: Vec<Vec<Seat>>) -> Result<Fleet> {
        Fleet::open(self.bed.folder(), plans).await
    }

    /// Publishes, measures, and makes figures of it.
    pub async fn run(
        &self,
        crowd: &Crowd,
        fleet: &mut Fleet,
        servers: &[&Server],
        course: Course,
    ) -> Result<(Run, Taken)> {
        let (taken, [before, after]) = fleet.measure(course, || self.spent(servers)).await?;
        let asked_per_s = match course.pace {
            Pace::PerSecond(rate) => Some(round(rate, 1)),
            Pace::Listen | Pace::Window(_) => None,
        };
        let (bytes_each, per_read) = taken.per_delivery();
        let run = Run {
            connections: crowd.connections(),
            rooms: crowd.rooms(),
            asked_per_s,
            published_per_s: round(taken.published_per_s(), 1),
            deliveries_per_s: round(taken.deliveries_per_s(), 0),
            bytes_each: round(bytes_each, 0),
            per_read: round(per_read, 2),
            lag_ms: round(real(taken.measured.lag_us) / 1000.0, 2),
            near: delays(&taken.near)?,
            across: delays(&taken.across)?,
            cpu: after.since(&before, &taken),
            faults: taken.faults.clone().into(),
        };
        Ok((run, taken))
    }

    fn spent(&self, servers: &[&Server]) -> Result<Spent> {
        Ok(Spent {
            servers: servers.iter().map(|server| process::cpu(server.pid())).collect::<Result<_>>()?,
            database: process::cpu(self.bed.database_pid()?)?,
            cache: process::cpu(self.bed.cache_pid()?)?,
        })
    }
}

impl Spent {
    fn since(&self, before: &Self, taken: &Taken) -> Cpu {
        let part = |after: &Duration, before: &Duration| {
            round(quotient(after.saturating_sub(*before).as_secs_f64(), taken.seconds), 2)
        };
        Cpu {
            servers: self
                .servers
                .iter()
                .zip(&before.servers)
                .map(|(after, before)| part(after, before))
                .collect(),
            database: part(&self.database, &before.database),
            cache: part(&self.cache, &before.cache),
            generator: taken.generator_cpu(),
        }
    }
}

impl From<Faults> for FaultFigures {
    fn from(faults: Faults) -> Self {
        let Faults { flaws, ended, refused, unanswered, announced } = faults;
        let (lost, repeated, late) = (flaws.lost, flaws.repeated, flaws.late);
        Self { lost, repeated, late, announced, unanswered, refused, ended }
    }
}

impl FaultFigures {
    /// Each kind with how often it happened, without those that did not.
    pub fn named(&self) -> BTreeMap<String, u64> {
        let counts = [
            ("deliveries lost", self.lost),
            ("deliveries repeated", self.repeated),
            ("deliveries out of order", self.late),
            ("gaps announced by the server", self.announced),
            ("publications without an answer", self.unanswered),
        ];
        let named = counts.into_iter().map(|(name, count)| (name.to_owned(), count));
        let refused =
            self.refused.iter().map(|(why, count)| (format!("publications refused: {why}"), *count));
        let ended = self.ended.iter().map(|(why, count)| (format!("connections ended: {why}"), *count));
        named.chain(refused).chain(ended).filter(|(_, count)| *count > 0).collect()
    }
}
