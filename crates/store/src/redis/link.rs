//! The connection to a Redis server that is always there, or on its way: deadlines, replacement.
//!
//! A connection is watched: once a second, and whenever a call failed, it is asked for an answer,
//! and replaced when none comes. That finds what the client library does not see: a connection
//! that swallows what is sent.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, cmd};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::connection::{Connection, Request};
use super::connector::{Addr, Connector};
use super::error::RemoteError;
use common::supervise;
use telemetry::sampled;

/// How long a call may take, the wait for a connection included.
pub(crate) const DEADLINE: Duration = Duration::from_secs(1);
/// How long an attempt to connect may take in all.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_millis(700);
/// How often an idle connection is asked for an answer.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How long that answer may take.
const CHECK_LIMIT: Duration = Duration::from_millis(500);
/// The shortest and the longest pause between attempts to connect.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(300));

/// Why a call got no answer.
#[derive(Clone, Debug)]
pub(crate) enum Failed {
    /// It was not executed: another node of the cluster serves the key.
    Moved(Addr),
    /// It was not executed: that node of the cluster is to be asked this once.
    Ask(Addr),
    /// It was not executed: some of its keys are on their way to another node.
    Migrating,
    /// Anything else.
    Error(RemoteError),
}

#[derive(Clone)]
enum State {
    /// The first attempt since the start, or since the loss of a connection, is under way.
    Connecting,
    Up(Connection),
    /// The last attempt failed; calls fail at once.
    Down(RemoteError),
}

/// What calls report of the connection.
#[derive(Default)]
struct Doubt {
    /// A call failed.
    raised: Notify,
    /// The server takes no writes any more; where it was reached, another may be now.
    demoted: AtomicBool,
}

/// A connection that is kept.
pub(crate) struct Link {
    addr: Addr,
    state: watch::Receiver<State>,
    doubt: Arc<Doubt>,
    keeper: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Link {
    /// Starts to connect.
    pub(crate) fn open(connector: Connector, addr: Addr) -> Self {
        let (sender, state) = watch::channel(State::Connecting);
        let doubt = Arc::new(Doubt::default());
        let keeping = keep(connector, addr.clone(), sender, doubt.clone());
        let keeper = supervise::spawn("redis connection", keeping);
        Self { addr, state, doubt, keeper }
    }

    /// Waits until the first attempt to connect has succeeded or failed, up to the deadline.
    pub(crate) async fn settled(&self) {
        // Whether it is connected shows in the first call.
        let _ = timeout(DEADLINE, self.connection()).await;
    }

    /// Whether there is a connection at the moment.
    pub(crate) fn is_up(&self) -> bool {
        matches!(&*self.state.borrow(), State::Up(_))
    }

    /// Does something with the connection, within the deadline.
    pub(crate) async fn within<T, F>(&self, act: impl FnOnce(Connection) -> F) -> Result<T, Failed>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let acting = async {
            let connection = self.connection().await.map_err(Failed::Error)?;
            act(connection).await.map_err(|error| {
                if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly) {
                    self.doubt.demoted.store(true, Ordering::Relaxed);
                }
                classify(&error, &self.addr)
            })
        };
        let result = timeout(DEADLINE, acting).await.unwrap_or(Err(Failed::Error(RemoteError::Deadline)));
        if let Err(Failed::Error(_)) = &result {
            self.doubt.raised.notify_one();
        }
        result
    }

    async fn connection(&self) -> Result<Connection, RemoteError> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| !matches!(state, State::Connecting)).await;
        match settled.as_deref() {
            Ok(State::Up(connection)) => Ok(connection.clone()),
            Ok(State::Down(error)) => Err(error.clone()),
            Ok(State::Connecting) | Err(_) => {
                Err(RemoteError::Unreachable(format!("{}: not connected", self.addr).into()))
            }
        }
    }
}

/// Connects, again and again, and watches over what is connected.
async fn keep(connector: Connector, addr: Addr, state: watch::Sender<State>, doubt: Arc<Doubt>) {
    let (shortest, longest) = PAUSE;
    let mut pause = shortest;
    loop {
        let error = match timeout(CONNECT_LIMIT, connector.connect(&addr)).await {
            Ok(Ok(connection)) => {
                let since = Instant::now();
                state.send_replace(State::Up(connection.clone()));
                let why = watch_over(connection, &doubt).await;
                tracing::warn!(%addr, why, "the connection to Redis is replaced");
                if since.elapsed() >= CHECK_EVERY {
                    pause = shortest;
                    state.send_replace(State::Connecting);
                    continue;
                }
                RemoteError::Unreachable(format!("{addr}: {why}").into())
            }
            Ok(Err(error)) => unreachable(&addr, &error),
            Err(_) => RemoteError::Deadline,
        };
        sampled!(warn, %addr, %error, "no connection to Redis");
        state.send_replace(State::Down(error));
        sleep(pause).await;
        pause = longest.min(pause * 2);
    }
}

/// Returns when the connection is of no use any more, and why.
async fn watch_over(mut connection: Connection, doubt: &Doubt) -> &'static str {
    let ping = Request::Command(cmd("PING"));
    loop {
        // Either way it is time for a look.
        let _ = timeout(CHECK_EVERY, doubt.raised.notified()).await;
        if doubt.demoted.swap(false, Ordering::Relaxed) {
            return "the server has become a replica";
        }
        match timeout(CHECK_LIMIT, connection.send(&ping)).await {
            Ok(Ok(_)) => {}
            // It answers, if only that it is still loading.
            Ok(Err(error)) if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) => {}
            Ok(Err(_)) => return "it was closed",
            Err(_) => return "it does not answer",
        }
    }
}

fn classify(error: &RedisError, asked: &Addr) -> Failed {
    let redirected = error.redirect_node().and_then(|(addr, _)| Addr::redirected(addr, asked));
    match (error.kind(), redirected) {
        (ErrorKind::Server(ServerErrorKind::Moved), Some(addr)) => Failed::Moved(addr),
        (ErrorKind::Server(ServerErrorKind::Ask), Some(addr)) => Failed::Ask(addr),
        (ErrorKind::Server(ServerErrorKind::TryAgain), _) => Failed::Migrating,
        (ErrorKind::Server(_) | ErrorKind::Extension, _) => {
            Failed::Error(RemoteError::Refused(error.to_string().into()))
        }
        (ErrorKind::UnexpectedReturnType, _) => {
            Failed::Error(RemoteError::Unexpected(error.to_string().into()))
        }
        _ => Failed::Error(unreachable(asked, error)),
    }
}

fn unreachable(addr: &Addr, error: &RedisError) -> RemoteError {
    RemoteError::Unreachable(format!("{addr}: {error}").into())
}
