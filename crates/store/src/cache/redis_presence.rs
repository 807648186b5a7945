//! Presence in Redis: each change is one script over the keys of a shard.

use std::time::Duration;

use redis::{Value, from_redis_value};

use super::CacheError;
use super::grouping::{by_shard, in_order};
use super::heartbeats::Beat;
use super::presence::{
    self, COUNTERS_LIFE_MS, CROWDED_VIEWS, Counters, CountersEntry, Enter, Member, RoomState, SHARDS, Silent,
};
use super::redis::{Redis, Result};
use super::scripts;
use crate::redis::script::{Call, Script};
use common::clock::life_ms;

/// How many members one call takes, so that Redis is not held up.
const BATCH: usize = 500;

/// As the scripts answer it: online, whether the anchor is in, pv, uv, mics, version.
type State = (Option<u64>, bool, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

impl Redis {
    pub(super) async fn heard(&self, live_id: &str, user_id: &str, is_anchor: bool) -> Result<bool> {
        let shard = presence::shard_of(live_id);
        let beat = Beat {
            keys: [self.keys.seen(shard), self.keys.anchors(shard)],
            member: presence::encode(live_id, user_id),
            anchored: if is_anchor { live_id.to_owned() } else { String::new() },
        };
        self.noting(self.heartbeats.record(shard, beat)).await
    }

    pub(super) async fn enter(&self, enter: &Enter<'_>) -> Result<RoomState> {
        let shard = presence::shard_of(enter.live_id);
        let former = enter.former.filter(|former| *former != enter.live_id);
        let (near, far) = match former {
            Some(former) if presence::shard_of(former) == shard => (former, None),
            other => ("", other),
        };
        let member_of_near =
            if near.is_empty() { String::new() } else { presence::encode(near, enter.user_id) };
        let entering = Call::new(&scripts::ENTER)
            .key(self.keys.seen(shard))
            .key(self.keys.online(shard))
            .key(self.keys.anchors(shard))
            .key(self.keys.counters(enter.live_id))
            .key(self.keys.removed(shard))
            .arg(enter.live_id)
            .arg(presence::encode(enter.live_id, enter.user_id))
            .arg(presence::encode(enter.live_id, enter.anchor_id))
            .arg(u8::from(enter.count_view))
            .arg(u8::from(enter.new_visitor))
            .arg(near)
            .arg(member_of_near)
            .arg(CROWDED_VIEWS)
            .arg(COUNTERS_LIFE_MS);
        let Some(far) = far else {
            return self.noting(self.remote.run::<State>(entering)).await.map(room_state);
        };
        let calls = vec![self.leaving(far, enter.user_id), entering];
        let mut answers = self.noting(self.remote.run_all::<Value>(calls)).await?;
        let entered = answers.pop().ok_or_else(|| unexpected("no answer"))?;
        from_redis_value::<State>(entered).map(room_state).map_err(unexpected)
    }

    pub(super) async fn leave(&self, live_id: &str, user_id: &str) -> Result<bool> {
        self.noting(self.remote.run(self.leaving(live_id, user_id))).await
    }

    pub(super) async fn room_states(&self, rooms: &[(&str, &str)]) -> Result<Vec<RoomState>> {
        let by_shard = by_shard(rooms, |(live_id, _)| live_id);
        let calls = by_shard.iter().map(|(shard, rooms)| {
            let mut call =
                Call::new(&scripts::STATES).key(self.keys.seen(*shard)).key(self.keys.online(*shard));
            for (_, (live_id, anchor_id)) in rooms {
                call.push_key(self.keys.counters(live_id));
                call.push_arg(live_id);
                call.push_arg(presence::encode(live_id, anchor_id));
            }
            call
        });
        let answers = self.remote.run_all::<Vec<Value>>(calls.collect()).await?;
        let states = answers.into_iter().map(|values| {
            let states =
                values.chunks(6).map(|state| from_redis_value::<State>(Value::Array(state.to_vec())));
            states.map(|state| state.map(room_state).map_err(unexpected)).collect::<Result<Vec<_>>>()
        });
        in_order(rooms.len(), &by_shard, states.collect::<Result<Vec<_>>>()?)
    }

    pub(super) async fn put_counters(&self, entries: &[CountersEntry<'_>]) -> Result<()> {
        let calls = by_shard(entries, |entry| entry.live_id).into_values().map(|entries| {
            let mut call = Call::new(&scripts::PUT_COUNTERS).arg(COUNTERS_LIFE_MS);
            for (_, CountersEntry { live_id, version, counters: Counters { pv, uv, mics } }) in entries {
                call.push_key(self.keys.counters(live_id));
                [pv, uv, mics, version].into_iter().for_each(|number| call.push_arg(number));
            }
            call
        });
        self.remote.run_all::<i64>(calls.collect()).await?;
        Ok(())
    }

    pub(super) async fn forget_counters(&self, live_id: &str) -> Result<()> {
        let call =
            Call::new(&scripts::FORGET_COUNTERS).key(self.keys.counters(live_id)).arg(COUNTERS_LIFE_MS);
        self.remote.run::<i64>(call).await?;
        Ok(())
    }

    pub(super) async fn anchor_watch(&self, live_id: &str) -> Result<()> {
        let key = self.keys.anchors(presence::shard_of(live_id));
        let call = Call::new(&scripts::WATCH_ANCHOR).key(key).arg(live_id);
        self.noting(self.remote.run::<i64>(call)).await?;
        Ok(())
    }

    pub(super) async fn anchor_unwatch<S: AsRef<str> + Sync>(&self, live_ids: &[S]) -> Result<()> {
        let calls = self.anchor_calls(&scripts::UNWATCH_ANCHORS, live_ids);
        self.noting(self.remote.run_all::<i64>(calls)).await?;
        Ok(())
    }

    pub(super) async fn remove_silent(
        &self,
        shard: u16,
        timeout: Duration,
        limit: usize,
        pending_first: bool,
    ) -> Result<Silent> {
        let call = Call::new(&scripts::REMOVE_SILENT)
            .key(self.keys.since(shard))
            .key(self.keys.seen(shard))
            .key(self.keys.online(shard))
            .key(self.keys.removed(shard))
            .arg(life_ms(timeout))
            .arg(limit)
            .arg(u8::from(pending_first));
        self.silent(call, Member::decode).await
    }

    pub(super) async fn acknowledge_removed(&self, members: &[Member]) -> Result<Vec<bool>> {
        self.of_each(members, |shard| Call::new(&scripts::ACKNOWLEDGE_REMOVED).key(self.keys.removed(shard)))
            .await
    }

    pub(super) async fn silent_anchors(&self, shard: u16, timeout: Duration, limit: usize) -> Result<Silent> {
        let call = Call::new(&scripts::SILENT_ANCHORS)
            .key(self.keys.since(shard))
            .key(self.keys.anchors(shard))
            .arg(life_ms(timeout))
            .arg(limit);
        self.silent(call, |live_id| Some(Member::new(live_id, ""))).await
    }

    pub(super) async fn restore(&self, members: &[Member], anchors: &[String]) -> Result<()> {
        for members in members.chunks(BATCH) {
            let calls = by_shard(members, |member| &member.live_id).into_iter().map(|(shard, members)| {
                let mut call = Call::new(&scripts::RESTORE)
                    .key(self.keys.seen(shard))
                    .key(self.keys.online(shard))
                    .key(self.keys.removed(shard));
                for (_, member) in members {
                    call.push_arg(&member.live_id);
                    call.push_arg(member);
                }
                call
            });
            self.noting(self.remote.run_all::<i64>(calls.collect())).await?;
        }
        for anchors in anchors.chunks(BATCH) {
            let calls = self.anchor_calls(&scripts::RESTORE_ANCHORS, anchors);
            self.noting(self.remote.run_all::<i64>(calls)).await?;
        }
        Ok(())
    }

    pub(super) async fn begin_watch(&self) -> Result<()> {
        let calls = (0..SHARDS).map(|shard| Call::new(&scripts::BEGIN_WATCH).key(self.keys.since(shard)));
        self.noting(self.remote.run_all::<String>(calls.collect())).await?;
        Ok(())
    }

    pub(super) async fn is_watched(&self) -> Result<bool> {
        let calls = (0..SHARDS).map(|shard| Call::new(&scripts::IS_WATCHED).key(self.keys.since(shard)));
        let watched: Vec<bool> = self.remote.run_all(calls.collect()).await?;
        Ok(watched.into_iter().all(|is_watched| is_watched))
    }

    pub(super) async fn heard_since(
        &self,
        shard: u16,
        after_ms: i64,
        limit: usize,
    ) -> Result<Vec<(Member, i64)>> {
        let call = Call::new(&scripts::HEARD_SINCE).key(self.keys.seen(shard)).arg(after_ms).arg(limit);
        let heard: Vec<(String, i64)> = self.remote.run(call).await?;
        let decoded = heard.into_iter().map(|(member, time)| Some((Member::decode(&member)?, time)));
        decoded.collect::<Option<_>>().ok_or_else(|| unexpected("a member without a room"))
    }

    pub(super) async fn count_seen(&self) -> Result<u64> {
        let calls = (0..SHARDS).map(|shard| Call::new(&scripts::COUNT_SEEN).key(self.keys.seen(shard)));
        let counts: Vec<u64> = self.remote.run_all(calls.collect()).await?;
        Ok(counts.into_iter().sum())
    }

    pub(super) async fn present(&self, members: &[Member]) -> Result<Vec<bool>> {
        self.of_each(members, |shard| Call::new(&scripts::PRESENT).key(self.keys.seen(shard))).await
    }

    /// What a script says of each member, in the same order. `call` begins the call of a shard.
    async fn of_each(&self, members: &[Member], call: impl Fn(u16) -> Call) -> Result<Vec<bool>> {
        let mut all = Vec::with_capacity(members.len());
        for members in members.chunks(BATCH) {
            let by_shard = by_shard(members, |member| &member.live_id);
            let calls = by_shard.iter().map(|(shard, members)| {
                members.iter().fold(call(*shard), |call, (_, member)| call.arg(member))
            });
            let answers = self.remote.run_all::<Vec<bool>>(calls.collect()).await?;
            all.extend(in_order(members.len(), &by_shard, answers)?);
        }
        Ok(all)
    }

    fn leaving(&self, live_id: &str, user_id: &str) -> Call {
        let shard = presence::shard_of(live_id);
        Call::new(&scripts::LEAVE)
            .key(self.keys.seen(shard))
            .key(self.keys.online(shard))
            .arg(live_id)
            .arg(presence::encode(live_id, user_id))
    }

    /// Calls of a script that takes the anchors of a shard, and rooms.
    fn anchor_calls<S: AsRef<str>>(&self, script: &'static Script, live_ids: &[S]) -> Vec<Call> {
        let calls = by_shard(live_ids, AsRef::as_ref).into_iter().map(|(shard, live_ids)| {
            let call = Call::new(script).key(self.keys.anchors(shard));
            live_ids.into_iter().fold(call, |call, (_, live_id)| call.arg(live_id.as_ref()))
        });
        calls.collect()
    }

    async fn silent(&self, call: Call, decode: impl Fn(&str) -> Option<Member>) -> Result<Silent> {
        match self.remote.run(call).await? {
            Value::Nil => Ok(Silent::Lost),
            Value::Int(_) => Ok(Silent::Waiting),
            gone => {
                let gone: Vec<String> = from_redis_value(gone).map_err(unexpected)?;
                let members = gone.iter().map(|text| decode(text)).collect::<Option<_>>();
                members.map(Silent::Found).ok_or_else(|| unexpected("a member without a room"))
            }
        }
    }
}

fn room_state((online, anchor_in, pv, uv, mics, version): State) -> RoomState {
    let counters = pv.zip(uv).zip(mics).map(|((pv, uv), mics)| Counters { pv, uv, mics });
    RoomState {
        online: online.unwrap_or_default(),
        anchor_in,
        counters,
        version: version.unwrap_or_default(),
    }
}

fn unexpected(what: impl ToString) -> CacheError {
    CacheError::Unexpected(what.to_string().into())
}
