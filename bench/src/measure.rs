//! The timed phase: throughput, latency and CPU per request of each route.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::drive::{Driver, Sample, Until};
use crate::figures::{micros, percentile, quotient, real, round};
use crate::probe::process;
use crate::report::Timed;
use crate::request::Request;

/// The processes whose CPU time is taken.
#[derive(Clone, Copy, Debug)]
pub struct Processes {
    /// The server.
    pub server: u32,
    /// MariaDB.
    pub database: u32,
    /// Redis.
    pub cache: u32,
}

/// CPU time used by each of them, and by this process.
#[derive(Clone, Copy, Debug, Default)]
struct Cpu {
    server: Duration,
    database: Duration,
    cache: Duration,
    driver: Duration,
}

/// Times routes over one set of connections.
#[derive(Debug)]
pub struct Stopwatch {
    driver: Driver,
    processes: Processes,
    warm_up: Duration,
    time: Duration,
}

/// What was measured of one route, perhaps in several runs.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    sample: Sample,
    cpu: Cpu,
}

impl Stopwatch {
    /// Measures each route for `time` after `warm_up`.
    pub fn new(driver: Driver, processes: Processes, warm_up: Duration, time: Duration) -> Self {
        Self { driver, processes, warm_up, time }
    }

    /// Times requests that can be repeated at will.
    pub async fn repeat(&mut self, name: &str, requests: &[Request]) -> Result<Taken> {
        eprintln!("timing {name}");
        let requests: Arc<[Request]> = requests.into();
        let warm = self.driver.run(&requests, Until::Elapsed(self.warm_up)).await?;
        fail_early(name, &warm)?;
        self.once(&requests, Until::Elapsed(self.time)).await
    }

    /// Times two sets of requests that undo each other: all of the first, all of the second, and again.
    pub async fn alternate(&mut self, names: [&str; 2], pair: [Vec<Request>; 2]) -> Result<[Taken; 2]> {
        eprintln!("timing {} and {}", names[0], names[1]);
        let [first, second]: [Arc<[Request]>; 2] = pair.map(Into::into);
        for requests in [&first, &second] {
            let warm = self.driver.run(requests, Until::Done).await?;
            fail_early(names[0], &warm)?;
        }
        let mut taken = [Taken::default(), Taken::default()];
        let both = self.time * 2;
        while taken.iter().map(|taken| taken.sample.elapsed).sum::<Duration>() < both {
            for (taken, requests) in taken.iter_mut().zip([&first, &second]) {
                taken.add(self.once(requests, Until::Done).await?);
            }
        }
        Ok(taken)
    }

    async fn once(&mut self, requests: &Arc<[Request]>, until: Until) -> Result<Taken> {
        let before = self.processes.cpu()?;
        let sample = self.driver.run(requests, until).await?;
        let cpu = self.processes.cpu()?.since(&before);
        Ok(Taken { sample, cpu })
    }
}

/// A route that fails at all would be measured failing.
fn fail_early(name: &str, warm: &Sample) -> Result<()> {
    match &warm.first_failure {
        Some(failure) => {
            bail!("{name} fails, {} of {} requests: {failure}", warm.failures, warm.latencies.len())
        }
        None => Ok(()),
    }
}

impl Taken {
    /// Adds another run of the same route.
    pub fn add(&mut self, other: Self) {
        self.sample.add(other.sample);
        self.cpu.server += other.cpu.server;
        self.cpu.database += other.cpu.database;
        self.cpu.cache += other.cpu.cache;
        self.cpu.driver += other.cpu.driver;
    }

    /// The figures, beside those of the bare route.
    pub fn figures(mut self, name: &str, shown: &str, bare: Option<&Timed>) -> Timed {
        self.sample.latencies.sort_unstable();
        let latencies = &self.sample.latencies;
        let requests = real(u64::try_from(latencies.len()).unwrap_or(u64::MAX));
        let per_s = quotient(requests, self.sample.elapsed.as_secs_f64());
        let each = |cpu: Duration| round(quotient(micros(cpu), requests), 1);
        let server_us = each(self.cpu.server);
        let ms = |per_mille| round(f64::from(percentile(latencies, per_mille)) / 1000.0, 3);
        Timed {
            name: name.to_owned(),
            shown: shown.to_owned(),
            per_s: round(per_s, 0),
            of_bare: bare.map_or(1.0, |bare| round(quotient(per_s, bare.per_s), 3)),
            p50_ms: ms(500),
            p99_ms: ms(990),
            server_us,
            server_of_bare: bare.map_or(1.0, |bare| round(quotient(server_us, bare.server_us), 2)),
            database_us: each(self.cpu.database),
            cache_us: each(self.cpu.cache),
            driver_us: each(self.cpu.driver),
            bytes: round(quotient(real(self.sample.bytes / 1024) * 1024.0, requests), 0),
            failures: self.sample.failures,
        }
    }
}

impl Processes {
    fn cpu(&self) -> Result<Cpu> {
        Ok(Cpu {
            server: process::cpu(self.server).context("the server is gone")?,
            database: process::cpu(self.database)?,
            cache: process::cpu(self.cache)?,
            driver: process::cpu(std::process::id())?,
        })
    }
}

impl Cpu {
    fn since(&self, earlier: &Self) -> Self {
        Self {
            server: self.server.saturating_sub(earlier.server),
            database: self.database.saturating_sub(earlier.database),
            cache: self.cache.saturating_sub(earlier.cache),
            driver: self.driver.saturating_sub(earlier.driver),
        }
    }
}
