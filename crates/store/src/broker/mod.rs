//! The broker: carries messages between nodes, one interface over a Redis node, a Redis Cluster, and
//! memory, with equal behaviour.
//!
//! A message published in a channel gets the channel's next offset, is kept for those who come
//! back, and is heard by every node that has subscribed, in the order of offsets: all of it in one
//! step. Offsets belong to an epoch; when Redis was restarted or failed over, a new epoch begins,
//! so that an offset never names two messages.

mod ear;
mod error;
mod keys;
mod listening;
mod memory;
mod memory_log;
mod metrics;
mod redis;
mod scripts;
mod stored;
mod subscriber;
mod subscriptions;
mod types;

use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use tokio::sync::mpsc;

pub use self::error::BrokerError;
use self::memory::Memory;
use self::metrics::Metrics;
use self::redis::Redis;
pub use self::types::{Epoch, Heard, History, Keep, NotAnEpoch, Pace, Position, Publication, Published};
use common::clock::SharedClock;
use config::CacheConfig;

type Result<T> = std::result::Result<T, BrokerError>;

/// For how long a channel that nobody uses is known at least once something was published in it, and its epoch with it.
pub const LIFE: Duration = Duration::from_secs(24 * 3600);
/// How much is heard ahead of the one who takes it in.
const BACKLOG: usize = 4096;

/// A handle to the broker; clones share everything.
#[derive(Clone)]
pub struct Broker {
    backend: Backend,
    metrics: Metrics,
}

#[derive(Clone)]
enum Backend {
    Memory(Arc<Memory>),
    Redis(Arc<Redis>),
}

impl Broker {
    /// Opens the broker. An unreachable Redis is no error: it is waited for shortly, and connected
    /// to in the background as soon as it is there.
    ///
    /// What this node hears comes from the receiver. When it is not taken in, hearing waits, and so
    /// do publishing in memory and subscribing: whoever takes it in must not wait for those.
    ///
    /// # Errors
    /// [`BrokerError::Redis`] for addresses or a key prefix that cannot be used.
    pub async fn connect(cfg: &CacheConfig, clock: SharedClock) -> Result<(Self, mpsc::Receiver<Heard>)> {
        let metrics = Metrics::new().map_err(|error| BrokerError::Metrics(error.to_string().into()))?;
        let (sender, receiver) = mpsc::channel(BACKLOG);
        let open = async |redis, is_cluster, sender| {
            let redis = Redis::open(redis, is_cluster, sender, metrics.clone()).await?;
            Result::Ok(Backend::Redis(Arc::new(redis)))
        };
        let backend = match cfg {
            CacheConfig::Memory => Backend::Memory(Arc::new(Memory::new(clock, sender, metrics.clone()))),
            CacheConfig::Node(redis) => open(redis, false, sender).await?,
            CacheConfig::Cluster(redis) => open(redis, true, sender).await?,
        };
        Ok((Self { backend, metrics }, receiver))
    }

    /// Shows the counters in `registry`.
    ///
    /// # Errors
    /// When the registry holds one of the names already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        if let Backend::Redis(redis) = &self.backend {
            redis.remote.register(registry)?;
        }
        self.metrics.register(registry)
    }
}

impl Broker {
    /// For how long the broker has been away: calls fail, or what is published cannot be heard. None while
    /// all is well.
    #[must_use]
    pub fn away_for(&self) -> Option<Duration> {
        match &self.backend {
            Backend::Memory(_) => None,
            Backend::Redis(redis) => redis.away_for(),
        }
    }
}

/// Messages. All of the calls fail with a [`BrokerError`] when Redis does.
impl Broker {
    /// Publishes a message: in one round trip, and never twice. After an error it is unknown
    /// whether it was published, except after [`BrokerError::Busy`].
    pub async fn publish(&self, channel: &str, body: &[u8], keep: Keep, pace: Pace<'_>) -> Result<Published> {
        let published = match &self.backend {
            Backend::Memory(memory) => memory.publish(channel, body, keep, pace).await,
            Backend::Redis(redis) => redis.publish(channel, body, keep, pace).await,
        };
        match &published {
            Ok(Published::At { .. }) => self.metrics.published.inc(),
            Ok(Published::TooFast { .. }) => self.metrics.too_fast.inc(),
            Err(_) => self.metrics.failed.inc(),
        }
        published
    }

    /// The present position of a channel, which is known from now on: for at least `keep.time`.
    pub async fn position(&self, channel: &str, keep: Keep) -> Result<Position> {
        match &self.backend {
            Backend::Memory(memory) => Ok(memory.position(channel, keep)),
            Backend::Redis(redis) => redis.position(channel, keep).await,
        }
    }

    /// The present positions of channels, in the same order; none of those that are not known. One
    /// round trip for each server.
    pub async fn positions(&self, channels: &[Arc<str>]) -> Result<Vec<Option<Position>>> {
        match &self.backend {
            Backend::Memory(memory) => Ok(memory.positions(channels)),
            Backend::Redis(redis) => redis.positions(channels).await,
        }
    }

    /// The first `limit` kept messages after `since`; without one, or if it is of another epoch,
    /// the last `limit`.
    pub async fn history(&self, channel: &str, since: Option<Position>, limit: usize) -> Result<History> {
        match &self.backend {
            Backend::Memory(memory) => Ok(memory.history(channel, since, limit)),
            Backend::Redis(redis) => redis.history(channel, since, limit).await,
        }
    }

    /// Puts another body in the place of a kept message; false if it is not kept.
    pub async fn replace(&self, channel: &str, position: Position, body: &[u8]) -> Result<bool> {
        match &self.backend {
            Backend::Memory(memory) => Ok(memory.replace(channel, position, body)),
            Backend::Redis(redis) => redis.replace(channel, position, body).await,
        }
    }
}

/// Subscriptions.
impl Broker {
    /// Subscribes to a channel: when this has returned, the node hears it, until it unsubscribes.
    /// After an error it does not, unless it did before.
    pub async fn subscribe(&self, channel: &str) -> Result<()> {
        self.hear(channel, false).await
    }

    /// Subscribes anew to a channel that went silent though its connection is healthy. What was
    /// published meanwhile is in the history; nothing is said of an interruption.
    pub async fn resubscribe(&self, channel: &str) -> Result<()> {
        self.hear(channel, true).await
    }

    async fn hear(&self, channel: &str, anew: bool) -> Result<()> {
        match &self.backend {
            Backend::Memory(memory) => {
                memory.subscribe(channel);
                Ok(())
            }
            Backend::Redis(redis) => redis.subscriptions.hear(channel, anew).await,
        }
    }

    /// Ends a subscription, in the background. What is under way may still be heard.
    pub async fn unsubscribe(&self, channel: &str) {
        match &self.backend {
            Backend::Memory(memory) => memory.unsubscribe(channel),
            Backend::Redis(redis) => redis.subscriptions.leave(channel),
        }
    }
}
