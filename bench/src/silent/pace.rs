//! Heartbeats of viewers who stay, at a steady pace as their SDKs send them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::figures::latency;
use crate::http::Connection;
use crate::report::Latency;
use crate::request::Request;

const CONNECTIONS: usize = 16;
/// How often each viewer is heard.
const EVERY: Duration = Duration::from_secs(3);

/// Heartbeats on their way.
#[derive(Debug)]
pub struct Pacer {
    workers: JoinSet<Result<Vec<Beat>>>,
    stop: watch::Sender<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Beat {
    sent: Instant,
    micros: u32,
    failed: bool,
}

/// Sends each of `requests` once every three seconds, spread evenly.
pub async fn start(address: SocketAddr, requests: Vec<Request>) -> Result<Pacer> {
    let requests: Arc<[Request]> = requests.into();
    let (stop, stopped) = watch::channel(false);
    let mut workers = JoinSet::new();
    for worker in 0..CONNECTIONS.min(requests.len()) {
        let connection = Connection::open(address).await?;
        workers.spawn(beat(connection, requests.clone(), worker, stopped.clone()));
    }
    Ok(Pacer { workers, stop })
}

async fn beat(
    mut connection: Connection,
    requests: Arc<[Request]>,
    worker: usize,
    stopped: watch::Receiver<bool>,
) -> Result<Vec<Beat>> {
    let mine: Vec<&Request> = requests.iter().skip(worker).step_by(CONNECTIONS).collect();
    let mut clock = interval(EVERY / u32::try_from(mine.len().max(1))?);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beats = Vec::new();
    for request in mine.into_iter().cycle() {
        clock.tick().await;
        if *stopped.borrow() {
            break;
        }
        let sent = Instant::now();
        let status = connection.exchange(request).await?.status;
        let micros = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
        beats.push(Beat { sent, micros, failed: status != 200 });
    }
    Ok(beats)
}

impl Pacer {
    /// Ends the heartbeats; latencies of those sent before `from`, and from then until `to`.
    pub async fn stop(mut self, from: Instant, to: Instant) -> Result<(Latency, Latency)> {
        self.stop.send_replace(true);
        let mut beats = Vec::new();
        while let Some(done) = self.workers.join_next().await {
            beats.extend(done??);
        }
        let before = beats.iter().filter(|beat| beat.sent < from);
        let meanwhile = beats.iter().filter(|beat| beat.sent >= from && beat.sent <= to);
        Ok((summary(before.copied()), summary(meanwhile.copied())))
    }
}

fn summary(beats: impl Iterator<Item = Beat>) -> Latency {
    let mut failures = 0;
    let micros = beats.inspect(|beat| failures += u64::from(beat.failed)).map(|beat| beat.micros).collect();
    latency(micros, failures)
}
