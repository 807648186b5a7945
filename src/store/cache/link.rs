//! The connection to Redis that is always there, or on its way: deadlines, and replacement.
//!
//! A connection is watched: once a second, and whenever a call failed, it is asked for an answer,
//! and replaced when none comes. That finds what the client library does not see: a connection
//! that swallows what is sent.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, Value, from_redis_value};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::connection::Connection;
use super::connector::Connector;
use super::error::CacheError;
use super::scripts::Call;

/// How long a call may take, the wait for a connection included.
pub(super) const DEADLINE: Duration = Duration::from_secs(1);
/// How long an attempt to connect may take; a cluster is asked for its layout meanwhile.
const CONNECT_LIMIT: Duration = Duration::from_millis(1_500);
/// How often an idle connection is asked for an answer.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How long that answer may take.
const CHECK_LIMIT: Duration = Duration::from_millis(500);
/// The shortest and the longest pause between attempts to connect.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(300));

type Result<T> = std::result::Result<T, CacheError>;

#[derive(Clone)]
enum State {
    /// The first attempt since the start, or since the loss of a connection, is under way.
    Connecting,
    Up(Connection),
    /// The last attempt failed; calls fail at once.
    Down(CacheError),
}

/// A connection that is kept.
pub(super) struct Link {
    state: watch::Receiver<State>,
    doubt: Arc<Notify>,
    probe: Arc<[Cmd]>,
    keeper: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Link {
    /// Starts to connect. `probe` are the commands whose answers show that all is well.
    pub(super) fn open(connector: Connector, probe: Vec<Cmd>) -> Self {
        let (sender, state) = watch::channel(State::Connecting);
        let doubt = Arc::new(Notify::new());
        let probe: Arc<[Cmd]> = probe.into();
        let keeper = tokio::spawn(keep(connector, probe.clone(), sender, doubt.clone()));
        Self { state, doubt, probe, keeper }
    }

    /// Waits until the first attempt to connect has succeeded or failed, up to the deadline.
    pub(super) async fn settled(&self) {
        // Whether it is connected shows in the first call.
        let _ = timeout(DEADLINE, self.connection()).await;
    }

    /// Whether all is well.
    pub(super) async fn ping(&self) -> Result<()> {
        self.within(async |to: Connection| check(&to, &self.probe).await).await
    }

    /// Runs one command.
    pub(super) async fn command<T: FromRedisValue>(&self, command: Cmd) -> Result<T> {
        decode(self.within(async |mut to: Connection| to.command(&command).await).await?)
    }

    /// Runs a script.
    pub(super) async fn run<T: FromRedisValue>(&self, call: Call) -> Result<T> {
        decode(self.within(async |to: Connection| to.run(&call).await).await?)
    }

    /// Runs scripts: on a node in one round trip, on a cluster in one round trip to each node.
    /// Fails if one of them does; the others may have been applied.
    pub(super) async fn run_all<T: FromRedisValue>(&self, calls: Vec<Call>) -> Result<Vec<T>> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let values = self.within(async |to: Connection| to.run_all(&calls).await).await?;
        values.into_iter().map(decode).collect()
    }

    async fn connection(&self) -> Result<Connection> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| !matches!(state, State::Connecting)).await;
        match settled.as_deref() {
            Ok(State::Up(connection)) => Ok(connection.clone()),
            Ok(State::Down(error)) => Err(error.clone()),
            Ok(State::Connecting) | Err(_) => Err(CacheError::Unreachable("not connected".into())),
        }
    }

    async fn within<T, F>(&self, act: impl FnOnce(Connection) -> F) -> Result<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let acting = async { act(self.connection().await?).await.map_err(|error| classify(&error)) };
        let result = timeout(DEADLINE, acting).await.unwrap_or(Err(CacheError::Deadline));
        if result.is_err() {
            self.doubt.notify_one();
        }
        result
    }
}

/// Connects, again and again, and watches over what is connected.
async fn keep(connector: Connector, probe: Arc<[Cmd]>, state: watch::Sender<State>, doubt: Arc<Notify>) {
    let (shortest, longest) = PAUSE;
    let mut pause = shortest;
    loop {
        let attempt = timeout(CONNECT_LIMIT, connector.connect()).await;
        match attempt.map_err(|_| CacheError::Deadline).and_then(|result| result.map_err(|e| classify(&e))) {
            Ok(connection) => {
                pause = shortest;
                state.send_replace(State::Up(connection.clone()));
                watch_over(&connection, &probe, &doubt).await;
                // The other nodes of a cluster are used while a new connection is being made.
                if !connector.is_cluster() {
                    state.send_replace(State::Connecting);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "no connection to Redis");
                state.send_replace(State::Down(error));
                sleep(pause).await;
                pause = longest.min(pause * 2);
            }
        }
    }
}

/// Returns when the connection does not answer any more.
async fn watch_over(connection: &Connection, probe: &[Cmd], doubt: &Notify) {
    loop {
        // Either way it is time for a look.
        let _ = timeout(CHECK_EVERY, doubt.notified()).await;
        match timeout(CHECK_LIMIT, check(connection, probe)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the connection to Redis failed");
                return;
            }
            Err(_) => {
                tracing::warn!("Redis does not answer");
                return;
            }
        }
    }
}

async fn check(connection: &Connection, probe: &[Cmd]) -> RedisResult<()> {
    try_join_all(probe.iter().map(async |command| connection.clone().command(command).await)).await?;
    Ok(())
}

fn decode<T: FromRedisValue>(value: Value) -> Result<T> {
    from_redis_value(value).map_err(|error| CacheError::Unexpected(error.to_string().into()))
}

fn classify(error: &RedisError) -> CacheError {
    match error.kind() {
        _ if error.is_timeout() => CacheError::Deadline,
        ErrorKind::Server(_) | ErrorKind::Extension => CacheError::Refused(error.to_string().into()),
        ErrorKind::UnexpectedReturnType => CacheError::Unexpected(error.to_string().into()),
        _ => CacheError::Unreachable(error.to_string().into()),
    }
}
