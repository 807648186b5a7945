//! The counted phase: SQL statements and cache round trips per request.
//!
//! Requests go one after the other over one connection, so that the server has no chance to merge the round
//! trips of several. What background jobs do is measured before, with the same data and no requests, and
//! taken off in proportion to the time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::time::sleep;

use crate::api::first_line;
use crate::figures::{quotient, real, round};
use crate::http::Connection;
use crate::probe::cache::{CacheCount, CacheProxy};
use crate::probe::sql::{SqlCount, SqlProbe};
use crate::probe::statements;
use crate::report::Counted;
use crate::request::Request;
use crate::routes::Limits;

/// Counts over one connection.
#[derive(Debug)]
pub struct Counter<'a> {
    connection: Connection,
    sql: &'a mut SqlProbe,
    cache: &'a CacheProxy,
    idle: Idle,
}

/// What background jobs do per second.
#[derive(Clone, Copy, Debug, Default)]
struct Idle {
    statements: f64,
    trips: f64,
}

/// What is counted under which name.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is done.
    pub shown: &'a str,
    /// Its limits.
    pub limits: Limits,
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
        let before = read(sql, cache).await?;
        sleep(idle).await;
        let after = read(sql, cache).await?;
        let seconds = after.at.duration_since(before.at).as_secs_f64();
        let idle = Idle {
            statements: real(after.sql.since(&before.sql).statements()) / seconds,
            trips: real(after.cache.since(&before.cache).trips) / seconds,
        };
        eprintln!("  {:.1} statements/s, {:.1} cache round trips/s", idle.statements, idle.trips);
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

    /// Sends `count` requests, `requests` in turn, and counts; the last of `requests` is sent once more to see its
    /// statements, unless `count` leaves it out: then it is sent only for this.
    pub async fn count(
        &mut self,
        subject: Subject<'_>,
        requests: &[Request],
        count: usize,
    ) -> Result<Counted> {
        eprintln!("counting {count} × {}", subject.name);
        let before = read(self.sql, self.cache).await?;
        for request in requests.iter().cycle().take(count) {
            self.send(request).await?;
        }
        let after = read(self.sql, self.cache).await?;
        let mut counted = self.per_request(subject, &before, &after, count);
        if let Some(request) = requests.last() {
            statements::begin(&mut self.sql.connection).await?;
            self.send(request).await?;
            counted.statements = statements::end(&mut self.sql.connection).await?;
        }
        Ok(counted)
    }

    fn per_request(&self, subject: Subject<'_>, before: &Reading, after: &Reading, count: usize) -> Counted {
        let requests = u64::try_from(count).unwrap_or(u64::MAX);
        let seconds = after.at.duration_since(before.at).as_secs_f64();
        let sql = after.sql.since(&before.sql);
        let cache = after.cache.since(&before.cache);
        let each = |total: f64| round(quotient(total, real(requests)), 3);
        let corrected = |total: u64, idle: f64| each((real(total) - idle * seconds).max(0.0));
        let kinds: BTreeMap<_, _> =
            sql.kinds().map(|(kind, total)| (kind.to_owned(), each(real(total)))).collect();
        Counted {
            name: subject.name.to_owned(),
            shown: subject.shown.to_owned(),
            requests,
            sql: corrected(sql.statements(), self.idle.statements),
            trips: corrected(cache.trips, self.idle.trips),
            sql_limit: subject.limits.sql,
            trips_limit: subject.limits.trips,
            sql_kinds: kinds,
            statements: Vec::new(),
            commands: cache.commands.into_iter().map(|(name, total)| (name, each(real(total)))).collect(),
        }
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

#[derive(Debug)]
struct Reading {
    at: Instant,
    sql: SqlCount,
    cache: CacheCount,
}
