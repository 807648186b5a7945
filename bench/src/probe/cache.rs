//! Cache round trips, counted by a TCP proxy between the server and Redis.
//!
//! Redis's own counters are no measure of round trips: `total_commands_processed` and `INFO commandstats` also
//! count the commands that a script calls, and a pipeline of ten commands is one round trip. The proxy sees
//! what the network sees: a round trip is a burst of requests that follows an answer. That holds while requests
//! reach the server one after the other, as they do in the counted phase.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The counting proxy; stops when dropped.
#[derive(Debug)]
pub struct CacheProxy {
    /// Where the server finds the cache.
    pub address: SocketAddr,
    counters: Arc<Counters>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counters {
    trips: AtomicU64,
    commands: Mutex<BTreeMap<String, u64>>,
}

/// A reading, or the difference of two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheCount {
    /// Round trips.
    pub trips: u64,
    /// Commands by name, without those that scripts call.
    pub commands: BTreeMap<String, u64>,
}

impl CacheProxy {
    /// Listens on a free port and passes everything on to `redis`.
    pub async fn start(redis: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let counters = Arc::new(Counters::default());
        let shared = counters.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, redis, shared.clone()));
            }
        });
        Ok(Self { address, counters, accepting })
    }

    /// Reads the counters.
    pub fn read(&self) -> CacheCount {
        let commands = self.counters.commands.lock().unwrap_or_else(PoisonError::into_inner).clone();
        CacheCount { trips: self.counters.trips.load(Ordering::Relaxed), commands }
    }
}

impl Drop for CacheProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl CacheCount {
    /// What was counted between `earlier` and this reading.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut commands = self.commands.clone();
        for (name, value) in &mut commands {
            *value = value.saturating_sub(earlier.commands.get(name).copied().unwrap_or_default());
        }
        commands.retain(|_, value| *value > 0);
        Self { trips: self.trips.saturating_sub(earlier.trips), commands }
    }
}

async fn pass(client: TcpStream, redis: SocketAddr, counters: Arc<Counters>) {
    let Ok(upstream) = TcpStream::connect(redis).await else { return };
    if client.set_nodelay(true).is_err() || upstream.set_nodelay(true).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_redis, to_redis) = upstream.into_split();
    // True while the next request opens a round trip: at first, and after every answer.
    let answered = Arc::new(AtomicBool::new(true));
    tokio::select! {
        () = pass_requests(from_client, to_redis, &answered, &counters) => {}
        () = pass_answers(from_redis, to_client, &answered) => {}
    }
}

async fn pass_requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    answered: &AtomicBool,
    counters: &Counters,
) {
    let mut chunk = Vec::with_capacity(64 * 1024);
    let mut pending = Vec::new();
    while matches!(from.read_buf(&mut chunk).await, Ok(1..)) {
        if answered.swap(false, Ordering::Relaxed) {
            counters.trips.fetch_add(1, Ordering::Relaxed);
        }
        if to.write_all(&chunk).await.is_err() {
            return;
        }
        pending.append(&mut chunk);
        while let Some((name, length)) = command(&pending) {
            pending.drain(..length);
            *counters.commands.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
        }
    }
}

async fn pass_answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, answered: &AtomicBool) {
    let mut chunk = Vec::with_capacity(64 * 1024);
    while matches!(from.read_buf(&mut chunk).await, Ok(1..)) {
        answered.store(true, Ordering::Relaxed);
        if to.write_all(&chunk).await.is_err() {
            return;
        }
        chunk.clear();
    }
}

/// Name and length of the command at the start of `bytes` (an array of bulk strings, as every client sends
/// them); `None` while it is incomplete.
fn command(bytes: &[u8]) -> Option<(String, usize)> {
    let (parts, mut at) = number(bytes, 0, b'*')?;
    let mut name = None;
    for _ in 0..parts {
        let (length, start) = number(bytes, at, b'$')?;
        let text = bytes.get(start..start + length)?;
        name.get_or_insert_with(|| String::from_utf8_lossy(text).to_uppercase());
        at = start + length + 2;
    }
    (at <= bytes.len()).then(|| (name.unwrap_or_default(), at))
}

/// The number of a line `<mark><digits>\r\n` at `at`, and where the next line starts.
fn number(bytes: &[u8], at: usize, mark: u8) -> Option<(usize, usize)> {
    let line = bytes.get(at..)?.strip_prefix(&[mark])?;
    let digits = line.iter().position(|byte| *byte == b'\r')?;
    let value = std::str::from_utf8(line.get(..digits)?).ok()?.parse().ok()?;
    Some((value, at + 1 + digits + 2))
}

#[cfg(test)]
mod tests {
    use super::{CacheProxy, command};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    #[test]
    fn splits_a_pipeline() {
        let bytes = b"*2\r\n$3\r\nget\r\n$1\r\nk\r\n*1\r\n$4\r\nPI";
        let (name, length) = command(bytes).unwrap();
        assert_eq!((name.as_str(), length), ("GET", 20));
        assert_eq!(command(&bytes[length..]), None);
    }

    #[test]
    fn waits_for_the_end_of_an_argument() {
        let whole = b"*1\r\n$4\r\nPING\r\n";
        assert!(command(whole).is_some());
        assert_eq!(command(&whole[..whole.len() - 1]), None);
    }

    #[tokio::test]
    async fn a_pipeline_is_one_round_trip() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = CacheProxy::start(listener.local_addr().unwrap()).await.unwrap();
        let mut client = TcpStream::connect(proxy.address).await.unwrap();
        let (mut redis, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 64];
        for request in ["*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nping\r\n", "*1\r\n$4\r\nTIME\r\n"] {
            client.write_all(request.as_bytes()).await.unwrap();
            redis.read_exact(&mut buffer[..request.len()]).await.unwrap();
            redis.write_all(b"+OK\r\n").await.unwrap();
            client.read_exact(&mut buffer[..5]).await.unwrap();
        }
        // The command is counted after it was passed on: the last answer may come first.
        while proxy.read().commands.len() < 2 {
            tokio::task::yield_now().await;
        }
        let count = proxy.read();
        assert_eq!(count.trips, 2);
        assert_eq!(count.commands.into_iter().collect::<Vec<_>>(), [("PING".into(), 2), ("TIME".into(), 1)]);
    }
}
