//! What every kind of cache does alike.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use store::cache::{
    Announcement, CROWDED_VIEWS, Cache, Counters, CountersEntry, Enter, Member, RoomState, Silent,
};
use tokio::sync::broadcast::Receiver;

use super::backend::{Backend, eventually, members, remove_everywhere, shard_of};
pub use super::likes::{
    a_mark_is_taken_off_only_if_nothing_changed_since, a_seed_that_comes_late_changes_nothing,
    kept_likes_are_counted_on, likes_are_counted_once_the_room_is_seeded,
    likes_of_one_who_is_not_in_are_not_counted, many_likes_are_told_in_parts,
    simultaneous_likes_are_all_counted, users_who_like_may_be_called_anything,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(5);

async fn enter(cache: &Cache, live_id: &str, user_id: &str) -> RoomState {
    cache.enter(Enter { live_id, user_id, anchor_id: "anchor", ..Enter::default() }).await.unwrap()
}

async fn online(cache: &Cache, live_id: &str) -> u64 {
    cache.room_states(&[(live_id, "anchor")]).await.unwrap()[0].online
}

pub async fn values_live_as_long_as_told(on: &Backend) {
    let cache = &on.cache;
    cache.ping().await.unwrap();
    cache.try_write().await.unwrap();
    assert_eq!(cache.get("key").await.unwrap(), None);
    cache.set("key", "old", MINUTE).await.unwrap();
    cache.set("key", "grüße 😀", MINUTE).await.unwrap();
    assert_eq!(cache.get("key").await.unwrap().as_deref(), Some("grüße 😀"));
    assert_eq!(on.another().await.get("key").await.unwrap().as_deref(), Some("grüße 😀"));
    cache.delete("key").await.unwrap();
    cache.delete("key").await.unwrap();
    assert_eq!(cache.get("key").await.unwrap(), None);

    cache.set("short", "1", Duration::from_millis(50)).await.unwrap();
    cache.set("long", "1", MINUTE).await.unwrap();
    eventually("it expires", SOON, async || cache.get("short").await.unwrap().is_none().then_some(())).await;
    assert!(cache.get("long").await.unwrap().is_some());
}

pub async fn a_value_is_set_once_while_it_lives(on: &Backend) {
    let cache = &on.cache;
    assert!(cache.set_if_absent("key", "first", Duration::from_millis(500)).await.unwrap());
    assert!(!cache.set_if_absent("key", "second", MINUTE).await.unwrap());
    eventually("it may be set again", SOON, async || {
        cache.set_if_absent("key", "third", MINUTE).await.unwrap().then_some(())
    })
    .await;
    assert_eq!(cache.get("key").await.unwrap().as_deref(), Some("third"));
}

pub async fn entering_leaving_and_the_states_of_rooms(on: &Backend) {
    let cache = &on.cache;
    assert_eq!(enter(cache, "1", "a").await, RoomState { online: 1, ..RoomState::default() });
    assert_eq!(enter(cache, "1", "a").await.online, 1, "entering twice is harmless");
    assert_eq!(
        enter(cache, "1", "anchor").await,
        RoomState { online: 2, anchor_in: true, ..RoomState::default() }
    );
    enter(cache, "2", "a").await;
    let rooms: Vec<(String, &str)> = (0..20).map(|room| (room.to_string(), "anchor")).collect();
    let rooms: Vec<(&str, &str)> =
        rooms.iter().map(|(live_id, anchor)| (live_id.as_str(), *anchor)).collect();
    let states = cache.room_states(&rooms).await.unwrap();
    let expected: Vec<(u64, bool)> =
        (0..20).map(|room| (if room == 1 { 2 } else { u64::from(room == 2) }, room == 1)).collect();
    assert_eq!(states.iter().map(|state| (state.online, state.anchor_in)).collect::<Vec<_>>(), expected);
    assert_eq!(cache.room_states(&[]).await.unwrap(), []);

    assert!(cache.leave("1", "a").await.unwrap());
    assert!(!cache.leave("1", "a").await.unwrap());
    assert!(!cache.leave("3", "a").await.unwrap());
    assert_eq!(online(cache, "1").await, 1);
    assert_eq!(online(cache, "2").await, 1, "the other room of the same user is untouched");
}

pub async fn entering_takes_out_of_the_former_room(on: &Backend) {
    let cache = &on.cache;
    // Among so many rooms there are two of the same shard, and two of different shards.
    for room in 0..100 {
        let (live_id, former) = (room.to_string(), (room - 1).to_string());
        let former = (room > 0).then_some(former.as_str());
        let state =
            cache.enter(Enter { live_id: &live_id, user_id: "a", former, ..Enter::default() }).await.unwrap();
        assert_eq!(state.online, 1);
    }
    for room in 0..100 {
        assert_eq!(online(cache, &room.to_string()).await, u64::from(room == 99), "room {room}");
    }
    let again = Enter { live_id: "99", user_id: "a", former: Some("99"), ..Enter::default() };
    assert_eq!(cache.enter(again).await.unwrap().online, 1, "the former room is the same");
    let never = Enter { live_id: "98", user_id: "b", former: Some("99"), ..Enter::default() };
    assert_eq!(cache.enter(never).await.unwrap().online, 1, "never was in the former room");
    assert_eq!(online(cache, "99").await, 1);
}

pub async fn a_room_with_nobody_leaves_nothing_behind(on: &Backend) {
    let cache = &on.cache;
    cache.begin_watch().await.unwrap();
    let rooms: Vec<Member> = (0..20).map(|room| Member::new(room.to_string(), "a")).collect();
    cache.restore(&rooms, &[]).await.unwrap();
    for room in &rooms[..10] {
        assert!(cache.leave(&room.live_id, "a").await.unwrap());
    }
    let mut gone = Vec::new();
    eventually("all are silent", SOON, async || {
        gone.extend(remove_everywhere(cache, Duration::from_millis(20)).await);
        (gone.len() == 10).then_some(())
    })
    .await;
    for room in &rooms {
        assert_eq!(online(cache, &room.live_id).await, 0);
    }
    on.assert_no_keys_but_since();
}

pub async fn ids_may_hold_anything(on: &Backend) {
    let cache = &on.cache;
    let users = ["", ":", "a:b", "{p1}", "\u{0}", "\r\n$3\r\n", "*", "É", &"😀".repeat(64), " "];
    for user in users {
        enter(cache, "1", user).await;
        assert!(cache.heard("1", user, false).await.unwrap());
    }
    assert_eq!(online(cache, "1").await, 10);
    assert!(!cache.heard("1", "b", false).await.unwrap(), "a part of another id is nobody");
    cache.begin_watch().await.unwrap();
    let mut gone = Vec::new();
    eventually("all are silent", SOON, async || {
        gone.extend(remove_everywhere(cache, Duration::from_millis(20)).await);
        (gone.len() == 10).then_some(())
    })
    .await;
    let expected: BTreeSet<Member> = members("1", &users).into_iter().collect();
    assert_eq!(gone.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(online(cache, "1").await, 0);
}

fn counters_for(live_id: &str, version: i64, counters: Counters) -> [CountersEntry<'_>; 1] {
    [CountersEntry { live_id, version, counters }]
}

pub async fn a_view_drops_cached_counters_and_raises_those_of_a_crowded_room(on: &Backend) {
    let cache = &on.cache;
    let counted =
        |user_id| Enter { live_id: "1", user_id, new_visitor: true, count_view: true, ..Enter::default() };
    let state = cache.enter(counted("a")).await.unwrap();
    assert_eq!(state.counters, None);
    let few = Counters { pv: 10, uv: 5, mics: 2 };
    cache.put_counters(&counters_for("1", state.version, few)).await.unwrap();
    assert_eq!(cache.room_states(&[("1", "x"), ("2", "x")]).await.unwrap()[0].counters, Some(few));
    let silent = Enter { count_view: false, ..counted("b") };
    assert_eq!(cache.enter(silent).await.unwrap().counters, Some(few), "not a view");
    let state = cache.enter(counted("b")).await.unwrap();
    assert_eq!(state.counters, None, "to be counted anew");

    let many = Counters { pv: CROWDED_VIEWS, uv: 5, mics: 2 };
    cache.put_counters(&counters_for("1", state.version, many)).await.unwrap();
    let raised = Counters { pv: CROWDED_VIEWS + 1, uv: 6, mics: 2 };
    assert_eq!(cache.enter(counted("c")).await.unwrap().counters, Some(raised));
    let again = Enter { new_visitor: false, ..counted("c") };
    let raised = Counters { pv: CROWDED_VIEWS + 2, ..raised };
    assert_eq!(cache.enter(again).await.unwrap().counters, Some(raised));
    cache.forget_counters("1").await.unwrap();
    cache.forget_counters("1").await.unwrap();
    assert_eq!(cache.room_states(&[("1", "x")]).await.unwrap()[0].counters, None);
}

pub async fn counters_counted_before_a_view_are_not_put_after_it(on: &Backend) {
    let cache = &on.cache;
    let before = cache.room_states(&[("1", "x")]).await.unwrap()[0].version;
    let viewing = Enter { live_id: "1", user_id: "a", count_view: true, ..Enter::default() };
    cache.enter(viewing).await.unwrap();
    cache.put_counters(&counters_for("1", before, Counters::default())).await.unwrap();
    let state = cache.room_states(&[("1", "x")]).await.unwrap()[0];
    assert_eq!(state.counters, None);
    cache.forget_counters("1").await.unwrap();
    cache.put_counters(&counters_for("1", state.version, Counters::default())).await.unwrap();
    assert_eq!(cache.room_states(&[("1", "x")]).await.unwrap()[0].counters, None);
}

pub async fn heartbeats_reach_only_members(on: &Backend) {
    let cache = &on.cache;
    assert!(!cache.heard("1", "a", false).await.unwrap());
    assert!(!cache.heard("1", "a", true).await.unwrap());
    enter(cache, "1", "a").await;
    assert!(cache.heard("1", "a", false).await.unwrap());
    assert!(on.another().await.heard("1", "a", false).await.unwrap());
    assert!(!cache.heard("2", "a", false).await.unwrap());
    cache.leave("1", "a").await.unwrap();
    assert!(!cache.heard("1", "a", false).await.unwrap());
    assert_eq!(online(cache, "1").await, 0, "a heartbeat brings nobody in");
    assert_eq!(cache.failed_at(), None);
}

pub async fn simultaneous_heartbeats_are_answered_each(on: &Backend) {
    let cache = &on.cache;
    for number in (0..1000).step_by(3) {
        enter(cache, &(number % 17).to_string(), &number.to_string()).await;
    }
    let beats = (0..1000).map(async |number: u32| {
        let heard =
            cache.heard(&(number % 17).to_string(), &number.to_string(), number.is_multiple_of(2)).await;
        (number, heard.unwrap())
    });
    for (number, heard) in join_all(beats).await {
        assert_eq!(heard, number % 3 == 0, "user {number}");
    }
}

pub async fn nobody_is_removed_before_the_watch_is_as_old_as_the_time_out(on: &Backend) {
    let cache = &on.cache;
    enter(cache, "1", "a").await;
    cache.anchor_watch("1").await.unwrap();
    let shard = shard_of(cache, "1").await;
    for shard in 0..cache.shards() {
        assert_eq!(cache.remove_silent(shard, SECOND, 10, false).await.unwrap(), Silent::Lost);
        assert_eq!(cache.silent_anchors(shard, SECOND, 10).await.unwrap(), Silent::Lost);
    }
    cache.begin_watch().await.unwrap();
    for shard in 0..cache.shards() {
        assert_eq!(cache.remove_silent(shard, MINUTE, 10, false).await.unwrap(), Silent::Waiting);
        assert_eq!(cache.silent_anchors(shard, MINUTE, 10).await.unwrap(), Silent::Waiting);
    }
    // Silent for long enough, but the watch is new.
    let timeout = Duration::from_millis(300);
    tokio::time::sleep(timeout).await;
    eventually("it could be asked soon enough", SOON, async || {
        let begun = Instant::now();
        cache.begin_watch().await.unwrap();
        let answer = cache.remove_silent(shard, timeout, 0, false).await.unwrap();
        (begun.elapsed() < timeout).then(|| assert_eq!(answer, Silent::Waiting))
    })
    .await;
    let gone = eventually("it is removed", SOON, async || {
        match cache.remove_silent(shard, timeout, 10, false).await.unwrap() {
            Silent::Found(gone) => Some(gone),
            other => {
                assert_eq!(other, Silent::Waiting);
                None
            }
        }
    })
    .await;
    assert_eq!(gone, members("1", &["a"]));
}

pub async fn the_silent_are_removed_longest_silent_first(on: &Backend) {
    let cache = &on.cache;
    let shard = shard_of(cache, "1").await;
    cache.begin_watch().await.unwrap();
    for user in ["c", "b", "a", "d", "e"] {
        enter(cache, "1", user).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    // The first is heard again, and so the last to go.
    assert!(cache.heard("1", "c", false).await.unwrap());
    tokio::time::sleep(Duration::from_millis(720)).await;
    let remove =
        async |limit| cache.remove_silent(shard, Duration::from_millis(700), limit, false).await.unwrap();
    assert_eq!(remove(0).await, Silent::Found(Vec::new()));
    assert_eq!(remove(2).await, Silent::Found(members("1", &["b", "a"])));
    assert_eq!(online(cache, "1").await, 3);
    enter(cache, "1", "b").await;
    assert_eq!(remove(9).await, Silent::Found(members("1", &["d", "e", "c"])));
    assert_eq!(remove(9).await, Silent::Found(Vec::new()));
    assert_eq!(online(cache, "1").await, 1, "who was heard stays");
    assert_eq!(cache.present(&members("1", &["a", "b", "c"])).await.unwrap(), [false, true, false]);
}

pub async fn the_removed_are_remembered_until_they_are_acknowledged(on: &Backend) {
    let cache = &on.cache;
    let (shard, hour) = (shard_of(cache, "1").await, MINUTE * 60);
    let remove =
        async |timeout, pending_first| cache.remove_silent(shard, timeout, 2, pending_first).await.unwrap();
    assert!(!cache.is_watched().await.unwrap());
    cache.begin_watch().await.unwrap();
    assert!(cache.is_watched().await.unwrap());
    for user in ["a", "b", "c"] {
        enter(cache, "1", user).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    assert_eq!(remove(Duration::from_millis(1), true).await, Silent::Found(members("1", &["a", "b"])));
    // They are out, and are not brought back by what the rows still say.
    assert_eq!(online(cache, "1").await, 1);
    assert!(!cache.heard("1", "a", false).await.unwrap());
    cache.restore(&members("1", &["a", "b", "c"]), &[]).await.unwrap();
    assert_eq!(cache.present(&members("1", &["a", "b", "c"])).await.unwrap(), [false, false, true]);
    // Whoever asks next, asks for these first, even where the watch begins anew.
    let other = on.another().await;
    other.begin_watch().await.unwrap();
    let again = other.remove_silent(shard, hour, 2, true).await.unwrap();
    assert_eq!(again, Silent::Found(members("1", &["a", "b"])));
    assert_eq!(remove(hour, false).await, Silent::Waiting);
    // One comes back by itself.
    enter(cache, "1", "b").await;
    assert_eq!(remove(hour, true).await, Silent::Found(members("1", &["a"])));
    let acknowledged = cache.acknowledge_removed(&members("1", &["a", "b", "d"])).await.unwrap();
    assert_eq!(acknowledged, [true, false, false]);
    assert_eq!(remove(hour, true).await, Silent::Waiting);
    cache.restore(&members("1", &["a"]), &[]).await.unwrap();
    assert_eq!(online(cache, "1").await, 3);
}

pub async fn the_silent_anchors_are_found_until_they_are_unwatched(on: &Backend) {
    let cache = &on.cache;
    let timeout = SECOND;
    cache.begin_watch().await.unwrap();
    for live_id in ["1", "2", "3", "4"] {
        cache.anchor_watch(live_id).await.unwrap();
        enter(cache, live_id, "anchor").await;
    }
    cache.anchor_unwatch(&["3", "never watched"]).await.unwrap();
    cache.leave("4", "anchor").await.unwrap();
    let mut gone = BTreeSet::new();
    eventually("two are silent", SOON, async || {
        assert!(cache.heard("1", "anchor", true).await.unwrap());
        // Only a member is heard, and only as the anchor.
        assert!(cache.heard("2", "anchor", false).await.unwrap());
        assert!(!cache.heard("4", "anchor", true).await.unwrap());
        for shard in 0..cache.shards() {
            match cache.silent_anchors(shard, timeout, 10).await.unwrap() {
                Silent::Found(rooms) => gone.extend(rooms),
                other => assert_eq!(other, Silent::Waiting),
            }
        }
        (gone.len() >= 2).then_some(())
    })
    .await;
    assert_eq!(gone.into_iter().collect::<Vec<_>>(), [Member::new("2", ""), Member::new("4", "")]);
    let silent = async |live_id: &str| {
        let Silent::Found(rooms) =
            cache.silent_anchors(shard_of(cache, live_id).await, timeout, 10).await.unwrap()
        else {
            panic!("it is watched")
        };
        rooms.contains(&Member::new(live_id, ""))
    };
    assert!(silent("2").await, "still");
    cache.anchor_unwatch(&["2"]).await.unwrap();
    assert!(!silent("2").await);
    assert_eq!(online(cache, "2").await, 1, "the members of the room stay");
}

pub async fn a_lost_cache_says_so_and_is_restored(on: &Backend) {
    let cache = &on.cache;
    // A new cache is like one that lost everything.
    assert_eq!(cache.remove_silent(0, SECOND, 10, false).await.unwrap(), Silent::Lost);
    let lost: Vec<Member> =
        (0..1200).map(|number| Member::new((number % 7).to_string(), number.to_string())).collect();
    cache.restore(&lost, &["1".to_owned(), "2".to_owned()]).await.unwrap();
    assert_eq!(cache.present(&lost).await.unwrap(), vec![true; 1200]);
    let rooms = ["0", "1", "2", "3", "4", "5", "6"].map(|room| (room, "8"));
    let states = cache.room_states(&rooms).await.unwrap();
    assert_eq!(states.iter().map(|state| state.online).sum::<u64>(), 1200);
    assert!(states[1].anchor_in && !states[2].anchor_in, "user 8 is in room 1");
    cache.begin_watch().await.unwrap();
    assert_eq!(cache.remove_silent(0, MINUTE, 10, false).await.unwrap(), Silent::Waiting);
    let mut gone = BTreeSet::new();
    eventually("restored anchors are watched", SOON, async || {
        for shard in 0..cache.shards() {
            if let Silent::Found(rooms) =
                cache.silent_anchors(shard, Duration::from_millis(20), 9).await.unwrap()
            {
                gone.extend(rooms.into_iter().map(|room| room.live_id));
            }
        }
        (gone.len() == 2).then_some(())
    })
    .await;
}

pub async fn restoring_changes_nothing_that_is_there(on: &Backend) {
    let cache = &on.cache;
    let shard = shard_of(cache, "1").await;
    enter(cache, "1", "a").await;
    let heard = eventually("it is heard", SOON, async || {
        Some(cache.heard_since(shard, 0, 10).await.unwrap()).filter(|heard| !heard.is_empty())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    cache.restore(&members("1", &["a", "b", "b"]), &[]).await.unwrap();
    assert_eq!(online(cache, "1").await, 2);
    let after = eventually("both are heard", SOON, async || {
        Some(cache.heard_since(shard, 0, 10).await.unwrap()).filter(|heard| heard.len() == 2)
    })
    .await;
    assert_eq!(after[0], heard[0]);
}

pub async fn what_was_heard_is_read_in_pages_that_miss_nobody(on: &Backend) {
    let cache = &on.cache;
    let shard = shard_of(cache, "1").await;
    let all: Vec<Member> = (0..300).map(|number| Member::new("1", format!("{number:03}"))).collect();
    // Many in the same millisecond, and some apart.
    for part in all.chunks(60) {
        cache.restore(part, &[]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (mut read, mut after) = (Vec::new(), 0);
    eventually("all are read", SOON, async || {
        let page = cache.heard_since(shard, after, 7).await.unwrap();
        assert!(page.is_sorted_by_key(|(_, time)| *time));
        assert!(page.iter().all(|(_, time)| *time > after));
        after = page.last().map_or(after, |(_, time)| *time);
        read.extend(page.into_iter().map(|(member, _)| member));
        (read.len() >= 300).then_some(())
    })
    .await;
    assert_eq!(read.len(), 300, "nobody twice");
    assert_eq!(read.iter().collect::<BTreeSet<_>>(), all.iter().collect::<BTreeSet<_>>());
    assert_eq!(cache.heard_since(shard, after, 7).await.unwrap(), []);
    assert_eq!(cache.heard_since(shard, 0, 0).await.unwrap(), []);
    assert!(cache.heard("1", "007", false).await.unwrap());
    let again = eventually("it is heard again", SOON, async || {
        Some(cache.heard_since(shard, after, 7).await.unwrap()).filter(|page| !page.is_empty())
    })
    .await;
    assert_eq!(again[0].0, Member::new("1", "007"));
}

pub async fn presence_is_answered_in_order(on: &Backend) {
    let cache = &on.cache;
    let all: Vec<Member> =
        (0..1500).map(|number| Member::new((number % 100).to_string(), number.to_string())).collect();
    let third: Vec<Member> = all.iter().step_by(3).cloned().collect();
    cache.restore(&third, &[]).await.unwrap();
    let present = cache.present(&all).await.unwrap();
    assert_eq!(present, (0..1500).map(|number| number % 3 == 0).collect::<Vec<_>>());
    assert_eq!(cache.present(&[]).await.unwrap(), Vec::<bool>::new());
}

pub async fn announcements_reach_every_process(on: &Backend) {
    let other = on.another().await;
    let (mut here, mut there) = (on.cache.announcements(), other.announcements());
    on.cache.announce("user", "é:1").await.unwrap();
    let hears = async |listener: &mut Receiver<Announcement>| loop {
        if let Announcement::Changed { topic, key } = listener.recv().await.unwrap() {
            return (topic, key);
        }
    };
    let expected = ("user".to_owned(), "é:1".to_owned());
    assert_eq!(tokio::time::timeout(SOON, hears(&mut here)).await.unwrap(), expected);
    assert_eq!(tokio::time::timeout(SOON, hears(&mut there)).await.unwrap(), expected);
}

pub async fn prefixes_keep_apart(on: &Backend) {
    let (one, two) = (on.under("one:").await, on.under("two:").await);
    let mut heard_by_two = two.announcements();
    one.set("key", "1", MINUTE).await.unwrap();
    enter(&one, "1", "a").await;
    one.put_counters(&counters_for("1", 0, Counters::default())).await.unwrap();
    one.begin_watch().await.unwrap();
    one.announce("user", "1").await.unwrap();
    assert_eq!(two.get("key").await.unwrap(), None);
    assert!(!two.heard("1", "a", false).await.unwrap());
    assert_eq!(two.room_states(&[("1", "a")]).await.unwrap()[0], RoomState::default());
    assert_eq!(two.remove_silent(0, SECOND, 1, false).await.unwrap(), Silent::Lost);
    two.announce("user", "2").await.unwrap();
    let first = eventually("it hears", SOON, async || heard_by_two.try_recv().ok()).await;
    assert_eq!(first, Announcement::Changed { topic: "user".to_owned(), key: "2".to_owned() });
    one.leave("1", "a").await.unwrap();
    one.delete("key").await.unwrap();
}

pub async fn members_of_all_rooms_are_counted(on: &Backend) {
    let cache = &on.cache;
    assert_eq!(cache.count_seen().await.unwrap(), 0);
    for room in ["1", "2", "3"] {
        enter(cache, room, "a").await;
        enter(cache, room, "b").await;
    }
    cache.leave("2", "a").await.unwrap();
    assert_eq!(cache.count_seen().await.unwrap(), 5);
    assert_eq!(on.another().await.count_seen().await.unwrap(), 5);
}
