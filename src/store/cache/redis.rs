//! The cache in Redis, on a node or a cluster: opening it, plain values, announcements.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::cmd;

use super::connector::Connector;
use super::error::CacheError;
use super::heartbeats::Heartbeats;
use super::invalidation::{Listeners, Message};
use super::keys::Keys;
use super::link::Link;
use super::memory::millis;
use super::presence::SHARDS;
use super::subscription::Subscription;
use crate::clock::SharedClock;
use crate::config::RedisConfig;

pub(super) type Result<T> = std::result::Result<T, CacheError>;

/// The cache in Redis. Dropping it closes the connections.
pub(super) struct Redis {
    pub(super) keys: Keys,
    pub(super) link: Arc<Link>,
    pub(super) heartbeats: Heartbeats,
    pub(super) listeners: Listeners,
    _subscription: Subscription,
    clock: SharedClock,
    /// Milliseconds since the epoch; zero: never.
    failed_ms: AtomicI64,
}

impl Redis {
    /// Opens a node, or a cluster, and waits shortly for it to answer.
    pub(super) async fn open(cfg: &RedisConfig, is_cluster: bool, clock: SharedClock) -> Result<Self> {
        let keys = Keys::new(&cfg.key_prefix)?;
        let connector = Connector::new(cfg, is_cluster)?;
        let (probe, lanes) = if is_cluster {
            // One for each shard: all masters that matter, whichever they are.
            let of_shard = |shard| cmd("EXISTS").arg(keys.since(shard)).to_owned();
            ((0..SHARDS).map(of_shard).collect(), SHARDS)
        } else {
            (vec![cmd("PING")], 1)
        };
        let link = Arc::new(Link::open(connector.clone(), probe));
        let listeners = Listeners::new();
        let subscription = Subscription::start(connector, link.clone(), keys.channel(), listeners.clone());
        link.settled().await;
        subscription.settled().await;
        Ok(Self {
            heartbeats: Heartbeats::start(&link, lanes),
            keys,
            link,
            listeners,
            _subscription: subscription,
            clock,
            failed_ms: AtomicI64::new(0),
        })
    }

    pub(super) async fn ping(&self) -> Result<()> {
        self.link.ping().await
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<String>> {
        self.link.command(cmd("GET").arg(self.keys.plain(key)).to_owned()).await
    }

    pub(super) async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        let key = self.keys.plain(key);
        self.link.command(cmd("SET").arg(key).arg(value).arg("PX").arg(millis(ttl)).to_owned()).await
    }

    pub(super) async fn set_if_absent(&self, key: &str, value: &str, ttl: Duration) -> Result<bool> {
        let key = self.keys.plain(key);
        let set = cmd("SET").arg(key).arg(value).arg("NX").arg("PX").arg(millis(ttl)).to_owned();
        let answer: Option<String> = self.link.command(set).await?;
        Ok(answer.is_some())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        self.link.command::<i64>(cmd("DEL").arg(self.keys.plain(key)).to_owned()).await?;
        Ok(())
    }

    pub(super) async fn announce(&self, topic: &str, key: &str) -> Result<()> {
        self.listeners.tell_changed(topic, key);
        let publish = cmd("PUBLISH").arg(self.keys.channel()).arg(Message::encode(topic, key)).to_owned();
        self.link.command::<i64>(publish).await?;
        Ok(())
    }

    pub(super) fn failed_at(&self) -> Option<DateTime<Utc>> {
        let ms = self.failed_ms.load(Ordering::Relaxed);
        DateTime::from_timestamp_millis(ms).filter(|_| ms != 0)
    }

    /// Remembers the failure of a presence write.
    pub(super) async fn noting<T>(&self, write: impl Future<Output = Result<T>>) -> Result<T> {
        let result = write.await;
        if result.is_err() {
            self.failed_ms.store(self.clock.now_ms(), Ordering::Relaxed);
        }
        result
    }
}
