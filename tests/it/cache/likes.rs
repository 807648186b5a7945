//! Likes: what every kind of cache does alike, and the layout in Redis.

use std::collections::BTreeMap;

use config::CacheConfig;
use futures_util::future::join_all;
use store::cache::{Cache, Enter, Like, LikeCounts, Liked, RoomLikes, UserLikes};

use super::backend::Backend;

fn of(user_id: &str, count: i64) -> UserLikes {
    UserLikes { user_id: user_id.to_owned(), count }
}

fn counted(mine: i64, total: i64) -> Liked {
    Liked::Counted(LikeCounts { mine, total })
}

/// Likes of one of whom it is known that they are in.
async fn like(cache: &Cache, live_id: &str, user_id: &str, count: i64) -> Liked {
    cache.like(Like { live_id, user_id, count, is_in: true }).await.unwrap()
}

async fn seed(cache: &Cache, live_id: &str, users: &[UserLikes]) {
    let seed = cache.begin_seed(live_id).await.unwrap();
    assert!(cache.add_to_seed(&seed, users).await.unwrap());
    assert!(cache.sow(seed).await.unwrap());
}

/// What is not written in a room, in order of users.
async fn unwritten(cache: &Cache, live_id: &str) -> Vec<UserLikes> {
    let mut rooms = cache.unwritten_likes(&[live_id], 10_000).await.unwrap();
    let mut users = rooms.remove(0).users;
    users.sort();
    users
}

async fn written(cache: &Cache, live_id: &str, users: &[UserLikes]) {
    cache.likes_written(&[RoomLikes { live_id: live_id.to_owned(), users: users.to_vec() }]).await.unwrap();
}

pub async fn likes_are_counted_once_the_room_is_seeded(on: &Backend) {
    let cache = &on.cache;
    assert_eq!(like(cache, "1", "a", 3).await, Liked::Unseeded);
    assert_eq!(unwritten(cache, "1").await, []);
    seed(cache, "1", &[of("a", 5), of("b", 7)]).await;
    assert_eq!(like(cache, "1", "a", 3).await, counted(8, 15));
    assert_eq!(like(cache, "1", "c", 1000).await, counted(1000, 1015));
    seed(cache, "2", &[]).await;
    assert_eq!(like(cache, "2", "a", 1).await, counted(1, 1), "rooms are counted apart");
    assert_eq!(like(cache, "1", "a", 1).await, counted(9, 1016));
}

pub async fn likes_of_one_who_is_not_in_are_not_counted(on: &Backend) {
    let cache = &on.cache;
    seed(cache, "1", &[]).await;
    let asked = Like { live_id: "1", user_id: "a", count: 1, is_in: false };
    assert_eq!(cache.like(asked).await.unwrap(), Liked::NotIn);
    assert_eq!(cache.liked_rooms().await.unwrap(), []);
    cache.enter(Enter { live_id: "1", user_id: "a", ..Enter::default() }).await.unwrap();
    assert_eq!(cache.like(asked).await.unwrap(), counted(1, 1));
    cache.leave("1", "a").await.unwrap();
    assert_eq!(cache.like(asked).await.unwrap(), Liked::NotIn);
    assert_eq!(cache.like(Like { is_in: true, ..asked }).await.unwrap(), counted(2, 2));
}

pub async fn a_mark_is_taken_off_only_if_nothing_changed_since(on: &Backend) {
    let cache = &on.cache;
    seed(cache, "1", &[of("a", 5), of("b", 7)]).await;
    like(cache, "1", "a", 1).await;
    like(cache, "1", "b", 1).await;
    let rooms = cache.liked_rooms().await.unwrap();
    assert_eq!(rooms.iter().map(|room| room.live_id.as_str()).collect::<Vec<_>>(), ["1"]);
    let first = unwritten(cache, "1").await;
    assert_eq!(first, [of("a", 6), of("b", 8)]);
    like(cache, "1", "a", 1).await;
    written(cache, "1", &first).await;
    assert_eq!(unwritten(cache, "1").await, [of("a", 7)], "what came meanwhile is not written");
    cache.unlist_liked(&cache.liked_rooms().await.unwrap()).await.unwrap();
    assert_eq!(cache.liked_rooms().await.unwrap().len(), 1, "the room has something to write");
    written(cache, "1", &[of("a", 7)]).await;
    assert_eq!(unwritten(cache, "1").await, []);
}

pub async fn a_seed_that_comes_late_changes_nothing(on: &Backend) {
    let cache = &on.cache;
    let late = cache.begin_seed("1").await.unwrap();
    cache.add_to_seed(&late, &[of("a", 100), of("b", 1)]).await.unwrap();
    seed(cache, "1", &[of("a", 5)]).await;
    like(cache, "1", "a", 1).await;
    assert!(cache.sow(late).await.unwrap());
    assert_eq!(like(cache, "1", "a", 1).await, counted(7, 7));
}

pub async fn simultaneous_likes_are_all_counted(on: &Backend) {
    let caches = [on.cache.clone(), on.another().await];
    seed(&caches[0], "1", &[]).await;
    let likes = (0..200).map(|number: usize| {
        let cache = &caches[number % 2];
        async move { like(cache, "1", ["a", "b", "c"][number % 3], 2).await }
    });
    let totals: Vec<i64> = join_all(likes)
        .await
        .into_iter()
        .map(|liked| match liked {
            Liked::Counted(counts) => counts.total,
            other => panic!("{other:?}"),
        })
        .collect();
    let distinct: BTreeMap<i64, ()> = totals.iter().map(|total| (*total, ())).collect();
    assert_eq!((distinct.len(), totals.iter().max()), (200, Some(&400)), "each call has its own total");
    assert_eq!(unwritten(&caches[1], "1").await, [of("a", 134), of("b", 134), of("c", 132)]);
}

pub async fn many_likes_are_told_in_parts(on: &Backend) {
    let cache = &on.cache;
    let users: Vec<UserLikes> = (0..2500).map(|number| of(&format!("user {number:04}"), 1)).collect();
    seed(cache, "1", &users).await;
    seed(cache, "2", &[]).await;
    join_all(users.iter().map(|user| like(cache, "1", &user.user_id, 1))).await;
    like(cache, "2", "x", 1).await;
    let mut found = Vec::new();
    loop {
        let rooms = cache.unwritten_likes(&["1", "2"], 1200).await.unwrap();
        assert!(rooms[0].users.len() <= 1200 && rooms[1].users == [of("x", 1)]);
        if rooms[0].users.is_empty() {
            break;
        }
        found.extend(rooms[0].users.clone());
        cache.likes_written(&rooms[..1]).await.unwrap();
    }
    found.sort();
    let expected: Vec<UserLikes> = users.iter().map(|user| of(&user.user_id, 2)).collect();
    assert_eq!(found, expected);
    assert_eq!(like(cache, "1", "new", 1).await, counted(1, 5001));
}

pub async fn users_who_like_may_be_called_anything(on: &Backend) {
    let cache = &on.cache;
    let users =
        [":", "a:b", "{p1}", "\u{0}", "\r\n$3\r\n", "*", "É", &"😀".repeat(64), "1"].map(|id| of(id, 4));
    seed(cache, "1", &users).await;
    for user in &users {
        assert!(
            matches!(like(cache, "1", &user.user_id, 2).await, Liked::Counted(counts) if counts.mine == 6)
        );
    }
    let mut expected = users.map(|user| of(&user.user_id, 6));
    expected.sort();
    assert_eq!(unwritten(cache, "1").await, expected);
    written(cache, "1", &expected).await;
    assert_eq!(unwritten(cache, "1").await, []);
}

pub async fn kept_likes_are_counted_on(on: &Backend) {
    let cache = &on.cache;
    seed(cache, "1", &[of("a", 5)]).await;
    cache.keep_likes(&["1".to_owned(), "unknown".to_owned()]).await.unwrap();
    assert_eq!(cache.liked_rooms().await.unwrap(), [], "nothing is to be written");
    assert_eq!(like(cache, "unknown", "a", 1).await, Liked::Unseeded);
    assert_eq!(like(cache, "1", "a", 1).await, counted(6, 6));
}

/// A connection that runs a command on the node that has the key.
struct Raw(Vec<redis::Connection>, String);

impl Raw {
    fn new(on: &Backend) -> Self {
        let (CacheConfig::Node(redis) | CacheConfig::Cluster(redis)) = &on.config else { panic!("no Redis") };
        let connect = |addr: &String| {
            redis::Client::open(format!("redis://{addr}/")).unwrap().get_connection().unwrap()
        };
        Self(redis.addrs.iter().map(connect).collect(), redis.key_prefix.clone())
    }

    /// `%` in a word stands for the key prefix.
    fn run<T: redis::FromRedisValue>(&mut self, words: &[&str]) -> T {
        let words: Vec<String> = words.iter().map(|word| word.replace('%', &self.1)).collect();
        let tried = self.0.iter_mut().find_map(|connection| {
            redis::cmd(&words[0]).arg(&words[1..]).query::<redis::Value>(connection).ok()
        });
        redis::from_redis_value(tried.expect("one of the nodes has it")).unwrap()
    }
}

async fn the_layout_is_the_old_servers(on: &Backend) {
    let (cache, mut raw) = (&on.cache, Raw::new(on));
    seed(cache, "7", &[of("a", 5)]).await;
    like(cache, "7", "b", 2).await;
    let hash: BTreeMap<String, i64> = raw.run(&["HGETALL", "%like:7"]);
    let expected = [("_", 7), ("a", 5), ("b", 2)].map(|(user, count)| (user.to_owned(), count));
    assert_eq!(hash, BTreeMap::from(expected));
    let dirty: Vec<String> = raw.run(&["SMEMBERS", "%{%like:7}:dirty"]);
    assert_eq!(dirty, ["b"]);
    let week = 7 * 24 * 3600;
    for key in ["%like:7", "%{%like:7}:dirty", "%{%like:7}:seeded"] {
        let life: i64 = raw.run(&["TTL", key]);
        assert!((week - 60..=week).contains(&life), "{key}: {life}");
    }
    let () = raw.run(&["EXPIRE", "%like:7", "100"]);
    cache.keep_likes(&["7".to_owned()]).await.unwrap();
    assert!(raw.run::<i64>(&["TTL", "%like:7"]) > 1000);
}

async fn what_is_lost_must_be_seeded_again(on: &Backend) {
    let (cache, mut raw) = (&on.cache, Raw::new(on));
    seed(cache, "7", &[of("a", 5)]).await;
    like(cache, "7", "a", 1).await;
    let () = raw.run(&["DEL", "%like:7"]);
    assert_eq!(like(cache, "7", "a", 1).await, Liked::Unseeded);
    assert_eq!(unwritten(cache, "7").await, [of("a", 0)], "what is lost cannot be written");
    written(cache, "7", &[of("a", 0)]).await;
    assert_eq!(unwritten(cache, "7").await, []);
    // Begun, and lost before it was complete: it may be from before what was counted since.
    let lost = cache.begin_seed("7").await.unwrap();
    let seeds = raw.0.len();
    for number in 0..seeds {
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(format!("{}*:seed:*", raw.1.replace('{', "\\{")))
            .query(&mut raw.0[number])
            .unwrap();
        for key in keys {
            let _ = redis::cmd("DEL").arg(key).query::<i64>(&mut raw.0[number]);
        }
    }
    assert!(!cache.add_to_seed(&lost, &[of("a", 5)]).await.unwrap());
    assert!(!cache.sow(lost).await.unwrap());
    assert_eq!(like(cache, "7", "a", 1).await, Liked::Unseeded);
}

async fn what_an_old_server_counted_is_raised_to_the_database(on: &Backend) {
    let (cache, mut raw) = (&on.cache, Raw::new(on));
    for (user, count) in [("a", "6"), ("b", "2"), ("_", "8")] {
        let () = raw.run(&["HSET", "%like:7", user, count]);
    }
    assert_eq!(like(cache, "7", "a", 1).await, Liked::Unseeded, "it may lack what the database has");
    seed(cache, "7", &[of("a", 5), of("b", 3), of("c", 1)]).await;
    assert_eq!(like(cache, "7", "a", 1).await, counted(7, 11));
    assert_eq!(like(cache, "7", "c", 1).await, counted(2, 12));
}

async fn a_room_with_nothing_to_write_leaves_the_list_after_a_while(on: &Backend) {
    let (cache, mut raw) = (&on.cache, Raw::new(on));
    seed(cache, "7", &[]).await;
    like(cache, "7", "a", 1).await;
    written(cache, "7", &[of("a", 1)]).await;
    let listed = cache.liked_rooms().await.unwrap();
    cache.unlist_liked(&listed).await.unwrap();
    assert_eq!(cache.liked_rooms().await.unwrap(), listed, "a like may be on its way");
    let shard = super::backend::shard_of(cache, "7").await;
    let list = format!("%{{p{shard}}}:liked");
    let old = (listed[0].at_ms - 60_000).to_string();
    let () = raw.run(&["ZADD", &list, &old, "7"]);
    cache.unlist_liked(&listed).await.unwrap();
    assert_eq!(cache.liked_rooms().await.unwrap().len(), 1, "it was liked since");
    cache.unlist_liked(&cache.liked_rooms().await.unwrap()).await.unwrap();
    assert_eq!(cache.liked_rooms().await.unwrap(), []);
    // A list that was lost is made anew.
    like(cache, "7", "a", 1).await;
    let () = raw.run(&["DEL", &list]);
    cache.keep_likes(&["7".to_owned()]).await.unwrap();
    assert_eq!(cache.liked_rooms().await.unwrap().len(), 1);
}

async fn pending_sets_of_an_old_server_are_marked(on: &Backend) {
    let (cache, mut raw) = (&on.cache, Raw::new(on));
    let second = 1_700_000_000;
    for (user, count) in [("a", "6"), ("b", "2"), ("_", "8")] {
        let () = raw.run(&["HSET", "%like:7", user, count]);
    }
    for (at, user) in [(second, "a"), (second + 299, "b"), (second + 299, "gone"), (second + 300, "late")] {
        let () = raw.run(&["SADD", &format!("%like_rooms:{at}"), "7", "8"]);
        let () = raw.run(&["SADD", &format!("%like_users:7:{at}"), user]);
    }
    let () = raw.run(&["HSET", "%like:7", "late", "1"]);
    assert_eq!(cache.adopt_likes(second..=second + 299).await.unwrap(), 2);
    assert_eq!(unwritten(cache, "7").await, [of("a", 6), of("b", 2)]);
    let rooms = cache.liked_rooms().await.unwrap();
    assert!(rooms.iter().any(|room| room.live_id == "7"), "{rooms:?}");
}

macro_rules! on_redis {
    ($($case:ident)*) => {
        mod on_a_node {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&super::Backend::node().await).await;
            })*
        }
        mod on_a_cluster {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&super::Backend::cluster().await).await;
            })*
        }
    };
}

on_redis! {
    the_layout_is_the_old_servers
    what_is_lost_must_be_seeded_again
    what_an_old_server_counted_is_raised_to_the_database
    a_room_with_nothing_to_write_leaves_the_list_after_a_while
    pending_sets_of_an_old_server_are_marked
}
