//! Likes in memory. Mirrors the scripts that run in Redis.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::likes::{LIFE, Like, LikeCounts, LikeSeed, Liked, LikedRoom, RoomLikes, SEED_LIFE, UserLikes};
use common::clock::life_ms;

/// The likes of all rooms.
#[derive(Debug, Default)]
pub(super) struct LikeBook {
    rooms: HashMap<String, Room>,
    /// What is collected, by name, and until when it may be.
    seeds: HashMap<String, (HashMap<String, i64>, i64)>,
    /// Rooms with likes to write.
    liked: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Room {
    counts: HashMap<String, i64>,
    total: i64,
    dirty: HashSet<String>,
    liked_ms: i64,
    expires: i64,
}

impl LikeBook {
    /// Counts the likes of one who is in the room.
    pub(super) fn like(&mut self, like: &Like<'_>, now: i64) -> Liked {
        let Some(room) = self.rooms.get_mut(like.live_id).filter(|room| room.expires > now) else {
            return Liked::Unseeded;
        };
        let mine = room.counts.entry(like.user_id.to_owned()).or_default();
        *mine = mine.saturating_add(like.count);
        room.total = room.total.saturating_add(like.count);
        room.dirty.insert(like.user_id.to_owned());
        room.liked_ms = now;
        room.expires = now.saturating_add(life_ms(LIFE));
        self.liked.insert(like.live_id.to_owned());
        Liked::Counted(LikeCounts { mine: *mine, total: room.total })
    }

    pub(super) fn begin_seed(&mut self, live_id: &str, now: i64) -> LikeSeed {
        self.seeds.retain(|_, (_, until)| *until > now);
        let seed = LikeSeed::new(live_id);
        self.seeds.insert(seed.name.clone(), (HashMap::new(), now.saturating_add(life_ms(SEED_LIFE))));
        seed
    }

    pub(super) fn add_to_seed(&mut self, seed: &LikeSeed, users: &[UserLikes]) -> bool {
        let Some((counts, _)) = self.seeds.get_mut(&seed.name) else { return false };
        counts.extend(users.iter().map(|user| (user.user_id.clone(), user.count)));
        true
    }

    pub(super) fn sow(&mut self, seed: &LikeSeed, now: i64) -> bool {
        let Some((counts, _)) = self.seeds.remove(&seed.name) else { return false };
        self.drop_expired(now);
        let expires = now.saturating_add(life_ms(LIFE));
        self.rooms.entry(seed.live_id.clone()).or_insert_with(|| {
            let total = counts.values().fold(0_i64, |sum, count| sum.saturating_add(*count));
            Room { counts, total, expires, ..Room::default() }
        });
        true
    }

    fn drop_expired(&mut self, now: i64) {
        self.rooms.retain(|_, room| room.expires > now);
        self.liked.retain(|live_id| self.rooms.contains_key(live_id));
    }

    pub(super) fn liked_rooms(&self) -> Vec<LikedRoom> {
        let at = |live_id: &String| self.rooms.get(live_id).map(|room| room.liked_ms);
        let rooms = self.liked.iter();
        rooms.filter_map(|id| Some(LikedRoom { live_id: id.clone(), at_ms: at(id)? })).collect()
    }

    /// Counting and listing is one step here, so that rooms need not stay listed for a while.
    pub(super) fn unlist_liked(&mut self, rooms: &[LikedRoom]) {
        for LikedRoom { live_id, .. } in rooms {
            if self.rooms.get(live_id).is_none_or(|room| room.dirty.is_empty()) {
                self.liked.remove(live_id);
            }
        }
    }

    pub(super) fn unwritten_likes(&self, live_ids: &[&str], limit: usize) -> Vec<RoomLikes> {
        let of_room = |live_id: &&str| {
            let users = self.rooms.get(*live_id).into_iter().flat_map(|room| {
                room.dirty.iter().take(limit).map(|user_id| UserLikes {
                    user_id: user_id.clone(),
                    count: room.counts.get(user_id).copied().unwrap_or_default(),
                })
            });
            RoomLikes { live_id: (*live_id).to_owned(), users: users.collect() }
        };
        live_ids.iter().map(of_room).collect()
    }

    pub(super) fn likes_written(&mut self, rooms: &[RoomLikes]) {
        for RoomLikes { live_id, users } in rooms {
            let Some(room) = self.rooms.get_mut(live_id) else { continue };
            for user in users {
                if room.counts.get(&user.user_id).copied().unwrap_or_default() == user.count {
                    room.dirty.remove(&user.user_id);
                }
            }
        }
    }

    pub(super) fn keep_likes(&mut self, live_ids: &[String], now: i64) {
        self.drop_expired(now);
        for live_id in live_ids {
            if let Some(room) = self.rooms.get_mut(live_id) {
                room.expires = now.saturating_add(life_ms(LIFE));
            }
        }
    }
}
