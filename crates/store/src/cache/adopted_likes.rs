//! What a QNLiveKit_Server had counted in Redis but not written: for each second a set of rooms, and
//! for each of them a set of users. Their counts are in the hash that this server goes on with.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use futures_util::future::try_join_all;
use redis::cmd;

use super::likes::LIFE;
use super::redis::{Redis, Result};
use super::scripts;
use crate::redis::script::Call;
use common::clock::life_ms;

/// Seconds, or sets of users, that are asked for at the same time.
const AT_ONCE: usize = 200;

/// Users of a room that one script marks.
const USERS: usize = 1000;

impl Redis {
    pub(super) async fn adopt_likes(&self, seconds: RangeInclusive<i64>) -> Result<u64> {
        let seconds: Vec<i64> = seconds.collect();
        let mut marked = 0;
        for seconds in seconds.chunks(AT_ONCE) {
            let rooms = try_join_all(seconds.iter().map(|second| self.old_rooms(*second))).await?;
            let rooms: Vec<(String, i64)> = rooms.into_iter().flatten().collect();
            for rooms in rooms.chunks(AT_ONCE) {
                marked += self.adopt_rooms(rooms).await?;
            }
        }
        Ok(marked)
    }

    async fn old_rooms(&self, second: i64) -> Result<Vec<(String, i64)>> {
        let rooms: Vec<String> = self.members_of(self.keys.old_like_rooms(second)).await?;
        Ok(rooms.into_iter().map(|live_id| (live_id, second)).collect())
    }

    async fn adopt_rooms(&self, rooms: &[(String, i64)]) -> Result<u64> {
        let users =
            rooms.iter().map(|(live_id, second)| self.members_of(self.keys.old_like_users(live_id, *second)));
        let users = try_join_all(users).await?;
        let mut by_room: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for ((live_id, _), users) in rooms.iter().zip(users) {
            by_room.entry(live_id).or_default().extend(users);
        }
        let calls = by_room.iter().flat_map(|(live_id, users)| {
            let users: Vec<&String> = users.iter().collect();
            let chunks: Vec<Vec<&String>> = users.chunks(USERS).map(<[_]>::to_vec).collect();
            chunks.into_iter().map(|users| {
                let call = Call::new(&scripts::MARK_LIKES)
                    .key(self.keys.likes(live_id))
                    .key(self.keys.likes_dirty(live_id))
                    .arg(life_ms(LIFE));
                users.into_iter().fold(call, |call, user_id| call.arg(user_id))
            })
        });
        let marked: u64 = self.remote.run_all::<u64>(calls.collect()).await?.into_iter().sum();
        self.list_rooms(by_room.keys().copied()).await?;
        Ok(marked)
    }

    async fn members_of(&self, key: String) -> Result<Vec<String>> {
        self.remote.command(Some(&key), cmd("SMEMBERS").arg(&key).to_owned()).await
    }
}
