//! Random sequences of calls: the number online is that of the members, and memory and Redis
//! answer alike.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use config::CacheConfig;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::cache::{CROWDED_VIEWS, Cache, Counters, CountersEntry, Enter, Member, RoomState, Silent};

use super::backend::{Backend, open, remove_everywhere};

/// What is done, with numbers for rooms and users.
#[derive(Clone, Debug)]
enum Act {
    Enter { room: u8, user: u8, former: Option<u8>, view: bool, new: bool },
    Leave { room: u8, user: u8 },
    Heard { room: u8, user: u8 },
    Restore(Vec<(u8, u8)>),
    PutCounters { room: u8, pv: i8 },
    ForgetCounters { room: u8 },
    RemoveAll,
    RemoveNobody,
}

/// So few that they meet often.
const ROOMS: u8 = 12;
const USERS: u8 = 5;

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let (room, user) = (0..ROOMS, 0..USERS);
    let act = prop_oneof![
        6 => (room.clone(), user.clone(), proptest::option::of(room.clone()), any::<bool>(), any::<bool>())
            .prop_map(|(room, user, former, view, new)| Act::Enter { room, user, former, view, new }),
        3 => (room.clone(), user.clone()).prop_map(|(room, user)| Act::Leave { room, user }),
        2 => (room.clone(), user.clone()).prop_map(|(room, user)| Act::Heard { room, user }),
        2 => proptest::collection::vec((room.clone(), user), 0..6).prop_map(Act::Restore),
        1 => (room.clone(), any::<i8>()).prop_map(|(room, pv)| Act::PutCounters { room, pv }),
        1 => room.prop_map(|room| Act::ForgetCounters { room }),
        1 => Just(Act::RemoveAll),
        1 => Just(Act::RemoveNobody),
    ];
    proptest::collection::vec(act, 1..40)
}

fn room(number: u8) -> String {
    // Three in each of three shards, and three in others.
    const IDS: [u32; 12] = [40, 49, 86, 25, 72, 90, 125, 178, 204, 24, 13, 52];
    IDS[usize::from(number)].to_string()
}

/// An answer in a form that can be compared.
type Answer = (bool, Option<RoomState>, BTreeSet<Member>);

async fn perform(cache: &Cache, act: &Act) -> Answer {
    let none = BTreeSet::new();
    match act.clone() {
        Act::Enter { room: number, user, former, view, new } => {
            let (live_id, user_id, former) = (room(number), user.to_string(), former.map(room));
            let enter = Enter {
                live_id: &live_id,
                user_id: &user_id,
                former: former.as_deref(),
                new_visitor: new,
                count_view: view,
                anchor_id: "1",
            };
            // Versions are each implementation's own.
            (true, Some(RoomState { version: 0, ..cache.enter(enter).await.unwrap() }), none)
        }
        Act::Leave { room: number, user } => {
            (cache.leave(&room(number), &user.to_string()).await.unwrap(), None, none)
        }
        Act::Heard { room: number, user } => {
            (cache.heard(&room(number), &user.to_string(), user == 1).await.unwrap(), None, none)
        }
        Act::Restore(members) => {
            let members: Vec<Member> = members
                .into_iter()
                .map(|(number, user)| Member::new(room(number), user.to_string()))
                .collect();
            cache.restore(&members, &[]).await.unwrap();
            (true, None, none)
        }
        Act::PutCounters { room: number, pv } => {
            let live_id = room(number);
            let version = cache.room_states(&[(&live_id, "1")]).await.unwrap()[0].version;
            let counters = Counters { pv: CROWDED_VIEWS - 100 + i64::from(pv), uv: 1, mics: 0 };
            cache.put_counters(&[CountersEntry { live_id: &live_id, version, counters }]).await.unwrap();
            (true, None, none)
        }
        Act::ForgetCounters { room: number } => {
            cache.forget_counters(&room(number)).await.unwrap();
            (true, None, none)
        }
        Act::RemoveAll => {
            // Everybody is silent for a millisecond by then.
            tokio::time::sleep(Duration::from_millis(2)).await;
            (true, None, remove_everywhere(cache, Duration::from_millis(1)).await.into_iter().collect())
        }
        Act::RemoveNobody => {
            (true, None, remove_everywhere(cache, Duration::from_secs(3600)).await.into_iter().collect())
        }
    }
}

/// The number online in each room is that of its members; answers who is where.
async fn members_of_all(cache: &Cache) -> BTreeMap<String, u64> {
    let mut counted = BTreeMap::new();
    for number in 0..ROOMS {
        let live_id = room(number);
        let everybody: Vec<Member> =
            (0..USERS).map(|user| Member::new(live_id.clone(), user.to_string())).collect();
        let present = cache.present(&everybody).await.unwrap().into_iter().filter(|present| *present).count();
        let state = cache.room_states(&[(&live_id, "1")]).await.unwrap()[0];
        assert_eq!(state.online, u64::try_from(present).unwrap(), "room {live_id}");
        counted.insert(live_id, state.online);
    }
    counted
}

async fn compare(redis: &Cache, acts: &[Act]) {
    let memory = open(&CacheConfig::Memory).await;
    memory.begin_watch().await.unwrap();
    redis.begin_watch().await.unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    remove_everywhere(redis, Duration::from_millis(1)).await;
    for number in 0..ROOMS {
        redis.forget_counters(&room(number)).await.unwrap();
    }
    for act in acts {
        let (expected, answer) = (perform(&memory, act).await, perform(redis, act).await);
        assert_eq!(answer, expected, "{act:?}");
    }
    assert_eq!(members_of_all(redis).await, members_of_all(&memory).await);
    assert!(matches!(
        redis.remove_silent(0, Duration::from_secs(3600), 1, false).await.unwrap(),
        Silent::Waiting
    ));
}

/// Runs on both; a failure is shrunk to the shortest sequence that fails.
fn check(backend: impl AsyncFnOnce() -> Backend, cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let backend = runtime.block_on(backend());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&acts(), |acts| {
        runtime.block_on(compare(&backend.cache, &acts));
        Ok(())
    });
    result.unwrap();
}

#[test]
fn memory_and_a_node_answer_alike() {
    check(Backend::node, 48);
}

#[test]
fn memory_and_a_cluster_answer_alike() {
    check(Backend::cluster, 12);
}
