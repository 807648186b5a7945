//! The broker: carries messages between nodes, one interface over a Redis node, a Redis Cluster, and
//! memory, with equal behaviour.
//!
//! A message published in a channel gets the channel's next offset, is kept for those who come
//! back, and is heard by every node that has subscribed, in the order of offsets: all of it in one
//! step. Offsets belong to an epoch; when Redis was restarted or failed over, a new epoch begins,
//! so that an offset never names two messages.

mod error;
mod memory;
mod memory_log;
mod types;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

pub use self::error::BrokerError;
use self::memory::Memory;
pub use self::types::{Epoch, Heard, History, Keep, NotAnEpoch, Pace, Position, Publication, Published};
use crate::clock::SharedClock;
use crate::config::CacheConfig;
use crate::store::redis::RemoteError;

type Result<T> = std::result::Result<T, BrokerError>;

/// For how long a channel that nobody uses is known at least, and its epoch with it.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// How much is heard ahead of the one who takes it in.
const BACKLOG: usize = 4096;

/// A handle to the broker; clones share everything.
#[derive(Clone)]
pub struct Broker(Backend);

#[derive(Clone)]
enum Backend {
    Memory(Arc<Memory>),
}

impl Broker {
    /// Opens the broker. An unreachable Redis is no error: it is waited for shortly, and connected
    /// to in the background as soon as it is there.
    ///
    /// What this node hears comes from the receiver. When it is not taken in, hearing waits, and so
    /// does publishing in memory: whoever takes it in must not wait for a call of the broker.
    ///
    /// # Errors
    /// [`BrokerError::Redis`] for addresses or a key prefix that cannot be used.
    pub async fn connect(cfg: &CacheConfig, clock: SharedClock) -> Result<(Self, mpsc::Receiver<Heard>)> {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        let backend = match cfg {
            CacheConfig::Memory => Backend::Memory(Arc::new(Memory::new(clock, sender))),
            CacheConfig::Node(_) | CacheConfig::Cluster(_) => {
                return Err(RemoteError::Config("the broker runs in memory only, so far".into()).into());
            }
        };
        Ok((Self(backend), receiver))
    }

    /// Publishes a message: in one round trip, and never twice. After an error it is unknown
    /// whether it was published, except after [`BrokerError::Busy`].
    pub async fn publish(&self, channel: &str, body: &[u8], keep: Keep, pace: Pace<'_>) -> Result<Published> {
        match &self.0 {
            Backend::Memory(memory) => memory.publish(channel, body, keep, pace).await,
        }
    }

    /// The present position of a channel, which is known from now on: for at least `keep.time`.
    pub async fn position(&self, channel: &str, keep: Keep) -> Result<Position> {
        match &self.0 {
            Backend::Memory(memory) => Ok(memory.position(channel, keep)),
        }
    }

    /// The present positions of channels, in the same order; none of those that are not known.
    pub async fn positions(&self, channels: &[Arc<str>]) -> Result<Vec<Option<Position>>> {
        match &self.0 {
            Backend::Memory(memory) => Ok(memory.positions(channels)),
        }
    }

    /// The first `limit` kept messages after `since`; without one, or if it is of another epoch,
    /// the last `limit`.
    pub async fn history(&self, channel: &str, since: Option<Position>, limit: usize) -> Result<History> {
        match &self.0 {
            Backend::Memory(memory) => Ok(memory.history(channel, since, limit)),
        }
    }

    /// Puts another body in the place of a kept message; false if it is not kept.
    pub async fn replace(&self, channel: &str, position: Position, body: &[u8]) -> Result<bool> {
        match &self.0 {
            Backend::Memory(memory) => Ok(memory.replace(channel, position, body)),
        }
    }

    /// Subscribes to a channel: when this has returned, the node hears it, until it unsubscribes.
    /// After an error it does not, unless it did before.
    pub async fn subscribe(&self, channel: &str) -> Result<()> {
        match &self.0 {
            Backend::Memory(memory) => {
                memory.subscribe(channel);
                Ok(())
            }
        }
    }

    /// Ends a subscription, in the background. What is under way may still be heard.
    pub async fn unsubscribe(&self, channel: &str) {
        match &self.0 {
            Backend::Memory(memory) => memory.unsubscribe(channel),
        }
    }

    /// Subscribes anew to a channel that went silent though its connection is healthy. What was
    /// published meanwhile is in the history; nothing is said of an interruption.
    pub async fn resubscribe(&self, channel: &str) -> Result<()> {
        match &self.0 {
            Backend::Memory(memory) => {
                memory.subscribe(channel);
                Ok(())
            }
        }
    }
}
