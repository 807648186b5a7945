//! The cache in Redis, on a node or a cluster: opening it, plain values, announcements.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::cmd;

use super::CacheError;
use super::heartbeats::Heartbeats;
use super::invalidation::{Listeners, Message};
use super::keys::Keys;
use crate::redis::connector::{Connector, addrs};
use crate::redis::credentials;

use super::presence::SHARDS;
use super::subscription::Subscription;
use crate::redis::client::Client;
use common::clock::SharedClock;
use common::clock::life_ms;
use config::RedisConfig;

pub(super) type Result<T> = std::result::Result<T, CacheError>;

/// The cache in Redis. Dropping it closes the connections.
pub(super) struct Redis {
    pub(super) keys: Keys,
    pub(super) client: Arc<Client>,
    pub(super) heartbeats: Heartbeats,
    pub(super) listeners: Listeners,
    _subscription: Subscription,
    clock: SharedClock,
    /// Milliseconds since the epoch; zero: never.
    failed_ms: AtomicI64,
    refuses: AtomicBool,
}

impl Redis {
    /// Opens a node, or a cluster, and waits shortly for it to answer. One that turns us down is an error.
    pub(super) async fn open(cfg: &RedisConfig, is_cluster: bool, clock: SharedClock) -> Result<Self> {
        let keys = Keys::new(&cfg.key_prefix)?;
        let connector = Connector::new(cfg)?;
        let client = Client::open(cfg, is_cluster, connector.clone(), "cache")?;
        let listeners = Listeners::new();
        let subscription =
            Subscription::start(connector.clone(), client.clone(), keys.channel(), listeners.clone());
        client.settled().await;
        subscription.settled().await;
        // A node of a cluster that hangs holds up only the queues of its shards.
        let lanes = if is_cluster { SHARDS } else { 1 };
        let cache = Self {
            heartbeats: Heartbeats::start(&client, lanes),
            keys,
            client,
            listeners,
            _subscription: subscription,
            clock,
            failed_ms: AtomicI64::new(0),
            refuses: AtomicBool::new(false),
        };
        if cache.ping().await.is_err() {
            credentials::check(&connector, &addrs(cfg, is_cluster)?).await?;
        }
        Ok(cache)
    }

    pub(super) async fn ping(&self) -> Result<()> {
        let keys: Vec<String> = (0..SHARDS).map(|shard| self.keys.since(shard)).collect();
        self.client.ping(&keys).await
    }

    pub(super) async fn try_write(&self) -> Result<()> {
        let keys: Vec<String> = (0..SHARDS).map(|shard| self.keys.trial(shard)).collect();
        self.note(self.client.try_write(&keys).await)
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<String>> {
        let key = self.keys.plain(key);
        self.client.command(Some(&key), cmd("GET").arg(&key).to_owned()).await
    }

    pub(super) async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        let key = self.keys.plain(key);
        let set = cmd("SET").arg(&key).arg(value).arg("PX").arg(life_ms(ttl)).to_owned();
        self.client.command(Some(&key), set).await
    }

    pub(super) async fn set_if_absent(&self, key: &str, value: &str, ttl: Duration) -> Result<bool> {
        let key = self.keys.plain(key);
        let set = cmd("SET").arg(&key).arg(value).arg("NX").arg("PX").arg(life_ms(ttl)).to_owned();
        let answer: Option<String> = self.client.command(Some(&key), set).await?;
        Ok(answer.is_some())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        let key = self.keys.plain(key);
        self.client.command(Some(&key), cmd("DEL").arg(&key).to_owned()).await.map(|_: i64| ())
    }

    pub(super) async fn announce(&self, topic: &str, key: &str) -> Result<()> {
        self.listeners.tell_changed(topic, key);
        let publish = cmd("PUBLISH").arg(self.keys.channel()).arg(Message::encode(topic, key)).to_owned();
        self.client.command(None, publish).await.map(|_: i64| ())
    }

    pub(super) fn failed_at(&self) -> Option<DateTime<Utc>> {
        let ms = self.failed_ms.load(Ordering::Relaxed);
        DateTime::from_timestamp_millis(ms).filter(|_| ms != 0)
    }

    /// Remembers the failure of a presence write.
    pub(super) async fn noting<T>(&self, write: impl Future<Output = Result<T>>) -> Result<T> {
        let result = self.note(write.await);
        if result.is_err() {
            self.failed_ms.store(self.clock.now_ms(), Ordering::Relaxed);
        }
        result
    }

    /// Remembers whether a write was refused.
    fn note<T>(&self, written: Result<T>) -> Result<T> {
        let refuses = matches!(written, Err(CacheError::Refused(_)));
        if refuses || written.is_ok() {
            self.refuses.store(refuses, Ordering::Relaxed);
        }
        written
    }

    /// Whether the last write was not refused (for want of memory, because its disk is full …).
    pub(super) fn takes_writes(&self) -> bool {
        !self.refuses.load(Ordering::Relaxed)
    }
}
