//! The broker over Redis, on a node or a cluster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::sync::mpsc;

use super::ear::Common;
use super::keys::Keys;
use super::metrics::Metrics;
use super::subscriptions::Subscriptions;
use super::types::{Epoch, Heard, History, Keep, Pace, Position, Published};
use super::{LIFE, Result, scripts, stored};
use crate::redis::RemoteError;
use crate::redis::connector::Connector;
use crate::redis::remote::Remote;
use crate::redis::script::Call;
use crate::shard::shard_of;
use common::clock::life_ms;
use config::RedisConfig;

/// How many channels one call takes at most, so that Redis is not held up.
const CHANNELS: usize = 256;

/// The broker in Redis. Dropping it closes the connections.
pub(super) struct Redis {
    keys: Keys,
    pub(super) remote: Arc<Remote>,
    pub(super) subscriptions: Subscriptions,
    is_cluster: bool,
}

impl Redis {
    /// Opens a node, or a cluster, and waits shortly for it to answer.
    pub(super) async fn open(
        cfg: &RedisConfig,
        is_cluster: bool,
        heard: mpsc::Sender<Heard>,
        metrics: Metrics,
    ) -> Result<Self> {
        let keys = Keys::new(&cfg.key_prefix)?;
        let connector = Connector::new(cfg)?;
        let remote = Remote::open(cfg, is_cluster, connector.clone().asking_run_id(), "broker")?;
        let common = Common { connector, keys: keys.clone(), heard, metrics, is_sharded: is_cluster };
        let subscriptions = Subscriptions::start(common, remote.clone());
        remote.settled().await;
        Ok(Self { keys, remote, subscriptions, is_cluster })
    }

    /// For how long calls have failed, or not everything was heard.
    pub(super) fn away_for(&self) -> Option<Duration> {
        self.subscriptions.deaf_for().max(self.remote.failing_for())
    }

    pub(super) async fn publish(
        &self,
        channel: &str,
        body: &[u8],
        keep: Keep,
        pace: Pace<'_>,
    ) -> Result<Published> {
        let mut call = Call::new(&scripts::PUBLISH)
            .key(self.keys.position(channel))
            .key(self.keys.messages(channel))
            .key(self.keys.channel(channel))
            .bytes(body)
            .bytes(&Epoch::fresh().0.to_be_bytes())
            .arg(keep.messages)
            .arg(life_ms(keep.time))
            .arg(life_ms(LIFE.max(keep.time)))
            .arg(pace.per_second.map_or(-1, i64::from))
            .arg(pace.user.map_or(0, |(_, pause)| life_ms(pause)))
            .arg(if self.is_cluster { "SPUBLISH" } else { "PUBLISH" })
            .telling_run_id();
        if let Some((user, _)) = pace.user {
            call.push_key(self.keys.pause(channel, user));
        }
        match self.remote.run(call).await? {
            Value::Int(ms) => Ok(Published::TooFast { retry_after: Duration::from_millis(whole(ms)?) }),
            Value::Array(answer) => match <[Value; 3]>::try_from(answer) {
                Ok([epoch, offset, Value::Int(nodes)]) => {
                    let nodes = u32::try_from(nodes).unwrap_or_default();
                    Ok(Published::At { position: position(&epoch, &offset)?, nodes })
                }
                _ => Err(unexpected().into()),
            },
            _ => Err(unexpected().into()),
        }
    }

    pub(super) async fn position(&self, channel: &str, keep: Keep) -> Result<Position> {
        let call = self.positions_of(&[channel], LIFE.max(keep.time), Some(keep.idle));
        let answer: Vec<Value> = self.remote.run(call).await?;
        match answer.as_slice() {
            [epoch, offset] => Ok(position(epoch, offset)?),
            _ => Err(unexpected().into()),
        }
    }

    pub(super) async fn positions(&self, channels: &[Arc<str>]) -> Result<Vec<Option<Position>>> {
        // The places in the list of what one call asks for: on a cluster, of one shard.
        let mut shards: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        for (place, channel) in channels.iter().enumerate() {
            let shard = if self.is_cluster { shard_of(channel) } else { 0 };
            shards.entry(shard).or_default().push(place);
        }
        let parts: Vec<&[usize]> = shards.values().flat_map(|places| places.chunks(CHANNELS)).collect();
        let calls = parts.iter().map(|places| {
            let names: Vec<&str> =
                places.iter().filter_map(|place| channels.get(*place)).map(AsRef::as_ref).collect();
            self.positions_of(&names, LIFE, None)
        });
        let answers: Vec<Vec<Value>> = self.remote.run_all(calls.collect()).await?;
        let mut found = vec![None; channels.len()];
        for (places, answer) in parts.into_iter().zip(answers) {
            for (place, pair) in places.iter().zip(answer.chunks(2)) {
                if let ([epoch @ Value::BulkString(_), offset], Some(found)) = (pair, found.get_mut(*place)) {
                    *found = Some(position(epoch, offset)?);
                }
            }
        }
        Ok(found)
    }

    /// With `idle`, the life of one in which nothing was published, channels that are not known begin.
    fn positions_of(&self, channels: &[&str], life: Duration, idle: Option<Duration>) -> Call {
        let mut call = Call::new(&scripts::POSITIONS)
            .bytes(&Epoch::fresh().0.to_be_bytes())
            .arg(life_ms(life))
            .arg(idle.map_or(0, life_ms))
            .telling_run_id();
        for channel in channels {
            call.push_key(self.keys.position(channel));
            call.push_key(self.keys.messages(channel));
        }
        call
    }

    pub(super) async fn history(
        &self,
        channel: &str,
        since: Option<Position>,
        limit: usize,
    ) -> Result<History> {
        let since_epoch = since.map(|since| since.epoch.0.to_be_bytes());
        let call = Call::new(&scripts::HISTORY)
            .key(self.keys.position(channel))
            .key(self.keys.messages(channel))
            .bytes(&Epoch::fresh().0.to_be_bytes())
            .arg(life_ms(LIFE))
            .bytes(since_epoch.as_ref().map_or(&[], <[u8; 8]>::as_slice))
            .arg(since.map_or(0, |since| since.offset))
            // No channel keeps more.
            .arg(u32::try_from(limit).unwrap_or(u32::MAX))
            .telling_run_id();
        let (epoch, offset, messages): (Value, Value, Vec<Vec<u8>>) = self.remote.run(call).await?;
        let messages = messages.iter().map(|message| stored::read(message).map(|(_, message)| message));
        let messages = messages.collect::<Option<Vec<_>>>().ok_or_else(unexpected)?;
        Ok(History::new(since, position(&epoch, &offset)?, messages))
    }

    pub(super) async fn replace(&self, channel: &str, at: Position, body: &[u8]) -> Result<bool> {
        let call = Call::new(&scripts::REPLACE)
            .key(self.keys.position(channel))
            .key(self.keys.messages(channel))
            .bytes(&at.epoch.0.to_be_bytes())
            .arg(at.offset)
            .bytes(body)
            .telling_run_id();
        Ok(self.remote.run(call).await?)
    }
}

fn position(epoch: &Value, offset: &Value) -> std::result::Result<Position, RemoteError> {
    let (Value::BulkString(epoch), Value::Int(offset)) = (epoch, offset) else { return Err(unexpected()) };
    let epoch = <[u8; 8]>::try_from(epoch.as_slice()).map_err(|_| unexpected())?;
    Ok(Position { epoch: Epoch(u64::from_be_bytes(epoch)), offset: whole(*offset)? })
}

fn whole(number: i64) -> std::result::Result<u64, RemoteError> {
    u64::try_from(number).map_err(|_| unexpected())
}

fn unexpected() -> RemoteError {
    RemoteError::Unexpected("a script of the broker did not answer as it does".into())
}
