//! The counted phase: SQL statements and cache round trips per request.
//!
//! Requests go one after the other over one connection, so that the server has no chance to merge the round
//! trips of several. What background jobs do most of the time is measured before, with the same data and no
//! requests, and taken off in proportion to the time; what they do in bursts, some a second, falls out, since the
//! figure is the median of many short parts.
//!
//! A request that leaves work to consumers of events would be charged with that, too: these are held up while such
//! requests are counted ([`lanes`]), and the statements are counted by their texts ([`Attributed`]), in MariaDB's
//! general log.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::time::sleep;

use crate::api::first_line;
use crate::figures::{quotient, real};
use crate::http::Connection;
use crate::lanes;
use crate::probe::attribute::{Attributed, is_own};
use crate::probe::cache::{CacheCount, CacheProxy};
use crate::probe::sql::{SqlCount, SqlProbe};
use crate::probe::statements;
use crate::report::Counted;
use crate::request::Request;
use crate::routes::By;
use crate::tally::{Cost, Subject, Tally, median, whole};

/// Into how many groups the requests of a subject are divided.
pub const GROUPS: usize = 5;
/// Requests of a part: so few that most parts meet no burst of a background job, and so many that a single statement
/// of one is within the judge's tolerance.
const PART: usize = 25;
/// About as long as a part.
const IDLE_STEP: Duration = Duration::from_millis(50);

/// Counts over one connection.
#[derive(Debug)]
pub struct Counter<'a> {
    connection: Connection,
    sql: &'a mut SqlProbe,
    cache: &'a CacheProxy,
    /// What background jobs do per second, most of the time.
    idle: Cost,
}

impl<'a> Counter<'a> {
    /// Measures the background for so long.
    pub async fn start(
        address: SocketAddr,
        sql: &'a mut SqlProbe,
        cache: &'a CacheProxy,
        idle: Duration,
    ) -> Result<Self> {
        eprintln!("counting what background jobs do for {} s", idle.as_secs());
        let begin = Instant::now();
        let mut readings = vec![read(sql, cache).await?];
        while begin.elapsed() < idle {
            sleep(IDLE_STEP).await;
            readings.push(read(sql, cache).await?);
        }
        let steps = readings.iter().zip(readings.iter().skip(1));
        let rates: Vec<Cost> =
            steps.map(|(before, after)| after.since(before)).map(Step::per_second).collect();
        let idle = median(&rates);
        eprintln!("  {:.1} statements/s, {:.1} cache round trips/s", idle.sql, idle.trips);
        // Not earlier: servers close connections that stay silent.
        Ok(Self { connection: Connection::open(address).await?, sql, cache, idle })
    }

    /// Sends each of `requests` once, uncounted.
    pub async fn warm(&mut self, requests: &[Request]) -> Result<()> {
        for request in requests {
            self.send(request).await?;
        }
        Ok(())
    }

    /// Sends `count` requests, `requests` in turn, and counts; then the last of `requests` to see its statements.
    pub async fn count(
        &mut self,
        subject: Subject<'_>,
        requests: &[Request],
        count: usize,
    ) -> Result<Counted> {
        eprintln!("counting {count} × {}", subject.name);
        let mut rest = requests.iter().cycle().take(count);
        let mut tally = Tally::default();
        for group in 1..=GROUPS {
            let sent = count * group / GROUPS - count * (group - 1) / GROUPS;
            let requests: Vec<&Request> = rest.by_ref().take(sent).collect();
            self.group(&mut tally, &requests, subject.by).await?;
        }
        if let Some(request) = requests.last() {
            self.explain(&mut tally, request).await?;
        }
        Ok(tally.counted(subject))
    }

    /// Sends `requests` and adds them to `tally`.
    pub async fn group(&mut self, tally: &mut Tally, requests: &[&Request], by: By) -> Result<()> {
        match by {
            By::Counters => {
                for part in requests.chunks(PART) {
                    let (cost, step) = self.part(part).await?;
                    let kinds = step.sql.kinds().map(|(kind, total)| (kind.to_owned(), total));
                    tally.add(part.len(), cost, kinds, &step.cache);
                }
            }
            By::Log => {
                lanes::hold(&mut self.sql.connection).await?;
                statements::begin(&mut self.sql.connection).await?;
                let mut parts = Vec::new();
                for part in requests.chunks(PART) {
                    parts.push((part.len(), self.part(part).await?));
                }
                let attributed = Attributed::of(&statements::end(&mut self.sql.connection).await?);
                lanes::release(&mut self.sql.connection).await?;
                let sql = quotient(real(attributed.statements()), whole(requests.len()));
                for (sent, (cost, step)) in parts {
                    tally.add(sent, Cost { sql, ..cost }, [], &step.cache);
                }
                tally.add_logged(attributed);
            }
        }
        Ok(())
    }

    /// Sends `requests`; what one of them cost, and all that was seen.
    async fn part(&mut self, requests: &[&Request]) -> Result<(Cost, Step)> {
        let before = read(self.sql, self.cache).await?;
        for request in requests {
            self.send(request).await?;
        }
        let step = read(self.sql, self.cache).await?.since(&before);
        Ok((step.per_request(requests.len(), self.idle), step))
    }

    /// Sends `request`, which is not counted, to see its statements.
    pub async fn explain(&mut self, tally: &mut Tally, request: &Request) -> Result<()> {
        statements::begin(&mut self.sql.connection).await?;
        self.send(request).await?;
        let logged = statements::end(&mut self.sql.connection).await?;
        tally.statements = logged.into_iter().filter(is_own).map(|statement| statement.text).collect();
        Ok(())
    }

    async fn send(&mut self, request: &[u8]) -> Result<()> {
        let answer = self.connection.exchange(request).await?;
        if answer.status != 200 {
            let body = String::from_utf8_lossy(answer.body);
            bail!("{}: {} {body}", first_line(request), answer.status);
        }
        Ok(())
    }
}

async fn read(sql: &mut SqlProbe, cache: &CacheProxy) -> Result<Reading> {
    let sql = sql.read().await?;
    Ok(Reading { at: Instant::now(), sql, cache: cache.read() })
}

#[derive(Clone, Debug)]
struct Reading {
    at: Instant,
    sql: SqlCount,
    cache: CacheCount,
}

/// What happened between two readings.
#[derive(Clone, Debug)]
struct Step {
    seconds: f64,
    sql: SqlCount,
    cache: CacheCount,
}

impl Reading {
    fn since(&self, earlier: &Self) -> Step {
        Step {
            seconds: self.at.duration_since(earlier.at).as_secs_f64(),
            sql: self.sql.since(&earlier.sql),
            cache: self.cache.since(&earlier.cache),
        }
    }
}

impl Step {
    fn per_second(self) -> Cost {
        Cost {
            sql: quotient(real(self.sql.statements()), self.seconds),
            trips: quotient(real(self.cache.trips), self.seconds),
        }
    }

    fn per_request(&self, sent: usize, idle: Cost) -> Cost {
        let each =
            |total: u64, idle: f64| quotient((real(total) - idle * self.seconds).max(0.0), whole(sent));
        Cost { sql: each(self.sql.statements(), idle.sql), trips: each(self.cache.trips, idle.trips) }
    }
}
