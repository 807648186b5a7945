//! The broker of a server that runs alone: in process, by the server's clock.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Result;
use super::error::BrokerError;
use super::memory_log::Log;
use super::metrics::Metrics;
use super::types::{Heard, History, Keep, Pace, Position, Published};
use crate::redis::link::DEADLINE;
use crate::shard::{SHARDS, shard_of};
use common::clock::SharedClock;

/// How often what is old is looked for in a shard that is used, in milliseconds.
const SWEEP_EVERY_MS: i64 = 60_000;

/// All channels. No lock is held across an await.
pub(super) struct Memory {
    clock: SharedClock,
    shards: Vec<Mutex<Shard>>,
    heard: mpsc::Sender<Heard>,
    metrics: Metrics,
}

#[derive(Default)]
struct Shard {
    logs: HashMap<Arc<str>, Log>,
    subscribed: HashSet<Arc<str>>,
    swept_ms: i64,
}

impl Shard {
    fn log(&mut self, channel: &str, now: i64) -> (Arc<str>, &mut Log) {
        if self.logs.get_mut(channel).is_some_and(|log| !log.expire(now)) {
            self.logs.remove(channel);
        }
        let known = self.logs.get_key_value(channel).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| channel.into());
        (name.clone(), self.logs.entry(name).or_insert_with(|| Log::new(now)))
    }

    fn sweep(&mut self, now: i64) {
        if now.saturating_sub(self.swept_ms) >= SWEEP_EVERY_MS {
            self.swept_ms = now;
            self.logs.retain(|_, log| log.expire(now));
        }
    }
}

impl Memory {
    pub(super) fn new(clock: SharedClock, heard: mpsc::Sender<Heard>, metrics: Metrics) -> Self {
        Self { clock, shards: (0..SHARDS).map(|_| Mutex::default()).collect(), heard, metrics }
    }

    /// The shard of a channel, and the present.
    fn shard<T>(&self, channel: &str, act: impl FnOnce(&mut Shard, i64) -> T) -> T {
        // `shards` holds SHARDS of them, so the index is in range.
        #[expect(clippy::indexing_slicing)]
        let lock = &self.shards[usize::from(shard_of(channel))];
        let mut shard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now_ms();
        shard.sweep(now);
        act(&mut shard, now)
    }

    /// There is room for the message before it gets its offset, and it is handed over under the
    /// lock under which it got it: so all are heard, in the order of offsets.
    pub(super) async fn publish(
        &self,
        channel: &str,
        body: &[u8],
        keep: Keep,
        pace: Pace<'_>,
    ) -> Result<Published> {
        let mut is_heard = self.shard(channel, |shard, _| shard.subscribed.contains(channel));
        loop {
            let permit = match is_heard {
                // Nobody listens any more when there is no receiver.
                true => timeout(DEADLINE, self.heard.reserve()).await.map_err(|_| BrokerError::Busy)?.ok(),
                false => None,
            };
            let published = self.shard(channel, |shard, now| {
                // It was subscribed to meanwhile.
                if !is_heard && shard.subscribed.contains(channel) {
                    return None;
                }
                Some(publish(shard, channel, body, keep, pace, permit, now))
            });
            match published {
                Some(published) => {
                    self.metrics.heard.inc_by(nodes_of(published));
                    return Ok(published);
                }
                None => is_heard = true,
            }
        }
    }

    pub(super) fn position(&self, channel: &str, keep: Keep) -> Position {
        self.shard(channel, |shard, now| shard.log(channel, now).1.touch_for(keep, now))
    }

    pub(super) fn positions(&self, channels: &[Arc<str>]) -> Vec<Option<Position>> {
        let position = |channel: &Arc<str>| {
            self.shard(channel, |shard, now| {
                let log = shard.logs.get_mut(channel)?;
                log.expire(now).then(|| log.touch(now))
            })
        };
        channels.iter().map(position).collect()
    }

    pub(super) fn history(&self, channel: &str, since: Option<Position>, limit: usize) -> History {
        self.shard(channel, |shard, now| shard.log(channel, now).1.history(since, limit, now))
    }

    pub(super) fn replace(&self, channel: &str, at: Position, body: &[u8]) -> bool {
        self.shard(channel, |shard, now| {
            shard.logs.get_mut(channel).is_some_and(|log| log.replace(at, body, now))
        })
    }

    pub(super) fn subscribe(&self, channel: &str) {
        if self.shard(channel, |shard, _| shard.subscribed.insert(channel.into())) {
            self.metrics.subscriptions.inc();
        }
    }

    pub(super) fn unsubscribe(&self, channel: &str) {
        if self.shard(channel, |shard, _| shard.subscribed.remove(channel)) {
            self.metrics.subscriptions.dec();
        }
    }
}

fn publish(
    shard: &mut Shard,
    channel: &str,
    body: &[u8],
    keep: Keep,
    pace: Pace<'_>,
    permit: Option<mpsc::Permit<'_, Heard>>,
    now: i64,
) -> Published {
    let is_subscribed = shard.subscribed.contains(channel);
    let (name, log) = shard.log(channel, now);
    if let Err(retry_after) = log.admit(pace, now) {
        return Published::TooFast { retry_after };
    }
    let (epoch, publication) = log.append(body, keep, now);
    let position = Position { epoch, offset: publication.offset };
    match permit {
        Some(permit) if is_subscribed => {
            permit.send(Heard::Publication { channel: name, epoch, publication });
            Published::At { position, nodes: 1 }
        }
        _ => Published::At { position, nodes: 0 },
    }
}

fn nodes_of(published: Published) -> u64 {
    match published {
        Published::At { nodes, .. } => nodes.into(),
        Published::TooFast { .. } => 0,
    }
}
