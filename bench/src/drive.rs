//! Sends requests over many keep-alive connections and takes the time of each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::api::first_line;
use crate::http::Connection;
use crate::request::Request;

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After this time; the requests are repeated in turn.
    Elapsed(Duration),
    /// When every request was sent once.
    Done,
}

/// The connections of the driver.
#[derive(Debug)]
pub struct Driver {
    connections: Vec<Connection>,
}

/// What a run has measured.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Microseconds per request, in no order.
    pub latencies: Vec<u32>,
    /// Wall time.
    pub elapsed: Duration,
    /// Bytes of all bodies.
    pub bytes: u64,
    /// Answers with a status other than 200.
    pub failures: u64,
    /// The first of these.
    pub first_failure: Option<String>,
}

impl Driver {
    /// Opens the connections.
    pub async fn connect(address: SocketAddr, connections: u16) -> Result<Self> {
        let mut opened = Vec::with_capacity(usize::from(connections));
        for _ in 0..connections {
            opened.push(Connection::open(address).await?);
        }
        Ok(Self { connections: opened })
    }

    /// Drives the server: each connection sends its next request when it has the answer to the last one.
    pub async fn run(&mut self, requests: &Arc<[Request]>, until: Until) -> Result<Sample> {
        let count = self.connections.len();
        let begin = Instant::now();
        let mut workers = JoinSet::new();
        for (worker, connection) in self.connections.drain(..).enumerate() {
            workers.spawn(work(connection, requests.clone(), worker, count, begin, until));
        }
        let mut sample = Sample::default();
        while let Some(done) = workers.join_next().await {
            let (connection, part) = done??;
            self.connections.push(connection);
            sample.add(part);
        }
        sample.elapsed = begin.elapsed();
        Ok(sample)
    }
}

impl Sample {
    /// Adds what another run has measured; wall times add up.
    pub fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.elapsed += other.elapsed;
        self.bytes += other.bytes;
        self.failures += other.failures;
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }
}

async fn work(
    mut connection: Connection,
    requests: Arc<[Request]>,
    worker: usize,
    step: usize,
    begin: Instant,
    until: Until,
) -> Result<(Connection, Sample)> {
    let mut sample = Sample::default();
    match until {
        Until::Done => {
            for request in requests.iter().skip(worker).step_by(step) {
                sample.take(&mut connection, request).await?;
            }
        }
        Until::Elapsed(time) => {
            for request in requests.iter().cycle().skip(worker).step_by(step) {
                if begin.elapsed() >= time {
                    break;
                }
                sample.take(&mut connection, request).await?;
            }
        }
    }
    Ok((connection, sample))
}

impl Sample {
    async fn take(&mut self, connection: &mut Connection, request: &[u8]) -> Result<()> {
        let sent = Instant::now();
        let answer = connection.exchange(request).await.with_context(|| first_line(request))?;
        self.latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        self.bytes += u64::try_from(answer.body.len()).unwrap_or_default();
        if answer.status != 200 {
            self.failures += 1;
            if self.first_failure.is_none() {
                let body = String::from_utf8_lossy(answer.body);
                self.first_failure = Some(format!("{}: {} {body}", first_line(request), answer.status));
            }
        }
        Ok(())
    }
}
