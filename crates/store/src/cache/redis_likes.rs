//! Likes in Redis: one hash for each room, in the layout of QNLiveKit_Server, and beside it in the
//! same slot what is not written yet.

use std::time::Instant;

use super::grouping::by_shard;
use super::likes::{
    LIFE, LIST_AGAIN, LISTED, Like, LikeCounts, LikeSeed, Liked, LikedRoom, RoomLikes, SEED_LIFE, UserLikes,
};
use super::presence::{self, SHARDS};
use super::redis::{Redis, Result};
use super::scripts;
use crate::redis::script::Call;
use common::clock::life_ms;
use common::crash;

/// How many users one call takes, so that Redis is not held up.
const USERS: usize = 1000;

/// How many rooms of a shard are answered at most, the longest waiting first.
const ROOMS: usize = 5000;

impl Redis {
    /// Two round trips: presence and the list of rooms are in the slot of the shard, the likes in
    /// that of the room.
    pub(super) async fn like(&self, like: &Like<'_>) -> Result<Liked> {
        let begun = Instant::now();
        if !self.remote.run::<bool>(self.listing(like)).await? {
            return Ok(Liked::NotIn);
        }
        crash::point("like.listed");
        let call = Call::new(&scripts::LIKE)
            .key(self.keys.likes(like.live_id))
            .key(self.keys.likes_seeded(like.live_id))
            .key(self.keys.likes_dirty(like.live_id))
            .arg(like.user_id)
            .arg(like.count)
            .arg(life_ms(LIFE));
        let Some((mine, total)) = self.remote.run::<Option<(i64, i64)>>(call).await? else {
            return Ok(Liked::Unseeded);
        };
        crash::point("like.counted");
        if begun.elapsed() > LIST_AGAIN {
            self.remote.run::<bool>(self.listing(&Like { is_in: true, ..*like })).await?;
        }
        Ok(Liked::Counted(LikeCounts { mine, total }))
    }

    fn listing(&self, like: &Like<'_>) -> Call {
        let shard = presence::shard_of(like.live_id);
        Call::new(&scripts::LIST_LIKED)
            .key(self.keys.seen(shard))
            .key(self.keys.liked(shard))
            .arg(presence::encode(like.live_id, like.user_id))
            .arg(like.live_id)
            .arg(u8::from(like.is_in))
    }

    pub(super) async fn begin_seed(&self, live_id: &str) -> Result<LikeSeed> {
        let seed = LikeSeed::new(live_id);
        self.remote.run::<bool>(self.seeding(&seed, true)).await?;
        Ok(seed)
    }

    pub(super) async fn add_to_seed(&self, seed: &LikeSeed, users: &[UserLikes]) -> Result<bool> {
        for users in users.chunks(USERS) {
            let mut call = self.seeding(seed, false);
            for user in users {
                call.push_arg(&user.user_id);
                call.push_arg(user.count);
            }
            if !self.remote.run::<bool>(call).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn seeding(&self, seed: &LikeSeed, begins: bool) -> Call {
        Call::new(&scripts::SEED_LIKES)
            .key(self.keys.likes_seed(&seed.live_id, &seed.name))
            .arg(life_ms(SEED_LIFE))
            .arg(u8::from(begins))
    }

    pub(super) async fn sow(&self, seed: LikeSeed) -> Result<bool> {
        let call = Call::new(&scripts::SOW_LIKES)
            .key(self.keys.likes_seed(&seed.live_id, &seed.name))
            .key(self.keys.likes(&seed.live_id))
            .key(self.keys.likes_seeded(&seed.live_id))
            .arg(life_ms(LIFE));
        self.remote.run(call).await
    }

    pub(super) async fn liked_rooms(&self) -> Result<Vec<LikedRoom>> {
        let calls =
            (0..SHARDS).map(|shard| Call::new(&scripts::LIKED_ROOMS).key(self.keys.liked(shard)).arg(ROOMS));
        let answers = self.remote.run_all::<Vec<(String, i64)>>(calls.collect()).await?;
        Ok(answers.into_iter().flatten().map(|(live_id, at_ms)| LikedRoom { live_id, at_ms }).collect())
    }

    pub(super) async fn unlist_liked(&self, rooms: &[LikedRoom]) -> Result<()> {
        let calls = by_shard(rooms, |room| &room.live_id).into_iter().map(|(shard, rooms)| {
            let call = Call::new(&scripts::UNLIST_LIKED).key(self.keys.liked(shard)).arg(life_ms(LISTED));
            rooms.into_iter().fold(call, |call, (_, room)| call.arg(&room.live_id).arg(room.at_ms))
        });
        self.remote.run_all::<i64>(calls.collect()).await?;
        Ok(())
    }

    pub(super) async fn unwritten_likes(&self, live_ids: &[&str], limit: usize) -> Result<Vec<RoomLikes>> {
        let calls = live_ids.iter().map(|live_id| {
            Call::new(&scripts::UNWRITTEN_LIKES)
                .key(self.keys.likes(live_id))
                .key(self.keys.likes_dirty(live_id))
                .arg(limit)
        });
        let answers = self.remote.run_all::<Vec<(String, i64)>>(calls.collect()).await?;
        let rooms = live_ids.iter().zip(answers).map(|(live_id, users)| {
            let users = users.into_iter().map(|(user_id, count)| UserLikes { user_id, count }).collect();
            RoomLikes { live_id: (*live_id).to_owned(), users }
        });
        Ok(rooms.collect())
    }

    pub(super) async fn likes_written(&self, rooms: &[RoomLikes]) -> Result<()> {
        let calls = rooms.iter().flat_map(|RoomLikes { live_id, users }| {
            users.chunks(USERS).map(move |users| {
                let call = Call::new(&scripts::LIKES_WRITTEN)
                    .key(self.keys.likes(live_id))
                    .key(self.keys.likes_dirty(live_id));
                users.iter().fold(call, |call, user| call.arg(&user.user_id).arg(user.count))
            })
        });
        self.remote.run_all::<i64>(calls.collect()).await?;
        Ok(())
    }

    /// Rooms with likes to write are listed again: a failover may have lost the list.
    pub(super) async fn keep_likes(&self, live_ids: &[String]) -> Result<()> {
        let calls = live_ids.iter().map(|live_id| {
            Call::new(&scripts::KEEP_LIKES)
                .key(self.keys.likes(live_id))
                .key(self.keys.likes_seeded(live_id))
                .key(self.keys.likes_dirty(live_id))
                .arg(life_ms(LIFE))
        });
        let dirty = self.remote.run_all::<bool>(calls.collect()).await?;
        let dirty = live_ids.iter().zip(dirty).filter(|(_, is_dirty)| *is_dirty);
        self.list_rooms(dirty.map(|(live_id, _)| live_id.as_str())).await
    }

    pub(super) async fn list_rooms(&self, live_ids: impl Iterator<Item = &str>) -> Result<()> {
        let calls =
            live_ids.map(|live_id| self.listing(&Like { live_id, user_id: "", count: 0, is_in: true }));
        self.remote.run_all::<bool>(calls.collect()).await?;
        Ok(())
    }
}
