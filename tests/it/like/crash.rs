//! The server is killed at each step of a like and of a flush, and started again: what was
//! acknowledged is there, and nothing twice.

use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use sqlx::Row;

use crate::support::client::Client;
use crate::support::env;
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::wait_until;

const VIEWERS: [&str; 3] = ["ann", "bob", "cyd"];
const EACH: i64 = 3;
const SOON: Duration = Duration::from_secs(30);

/// What a viewer gave: surely, and at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Given {
    surely: i64,
    at_most: i64,
}

/// Likes until nobody answers.
async fn like_until_dead(client: Client, path: String, mut given: Given) -> Given {
    loop {
        given.at_most += EACH;
        match client.try_put(&path, json!({"count": EACH})).await {
            Some(answer) if answer.status == 200 => {
                let mine = answer.body["data"]["count"].as_i64().unwrap();
                assert!((given.surely + EACH..=given.at_most).contains(&mine), "{mine}: {given:?}");
                // What was in doubt before is certain now.
                given = Given { surely: mine, at_most: mine };
            }
            Some(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
            None => return given,
        }
    }
}

/// What the table has of a room: (user, count), in order of users.
async fn stored(server: &ServerProcess, live_id: &str) -> Vec<(String, i64)> {
    let sql = format!(
        "SELECT user_id, count FROM stats_single_live WHERE type = 6 AND live_id = '{live_id}' ORDER BY user_id"
    );
    let sql = sqlx::AssertSqlSafe(sql);
    if server.database().schema().is_empty() {
        let rows = sqlx::query(sql).fetch_all(&mut server.database().sqlite().await).await.unwrap();
        return rows.iter().map(|row| (row.get(0), row.get::<i64, _>(1))).collect();
    }
    let rows = sqlx::query(sql).fetch_all(&mut server.database().mysql().await).await.unwrap();
    rows.iter().map(|row| (row.get(0), i64::from(row.get::<i32, _>(1)))).collect()
}

const IN_REDIS: [&str; 10] = [
    "like.warm_up_begun",
    "like.warm_up_read",
    "like.warmed_up",
    "like.listed:7",
    "like.counted:7",
    "like.answered:7",
    "flush_likes.read:2",
    "flush_likes.written:2",
    "flush_likes.committed:2",
    "flush_likes.cleared:2",
];

#[rstest]
#[case::embedded(Backend::Embedded, &[
    "like.warm_up_begun", "like.warm_up_read", "like.warmed_up", "like.answered:7",
    "flush_likes.read:5", "flush_likes.written:5", "flush_likes.committed:5", "flush_likes.cleared:5",
])]
#[case::redis(Backend::Redis, &IN_REDIS)]
#[case::cluster(Backend::RedisCluster, &["like.listed:7", "like.counted:7", "flush_likes.committed:2"])]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_and_doubles_nothing(#[case] backend: Backend, #[case] steps: &[&str]) {
    let mut server = Setup::new(backend).await.start().await;
    let room = server.client_of("anchor").await.go_live("likes").await;
    let live_id = room["live_id"].as_str().unwrap().to_owned();
    let path = format!("/client/live/room/{live_id}/like");
    let viewers: Vec<Client> = join_all(VIEWERS.map(|viewer| server.client_of(viewer))).await;
    for viewer in &viewers {
        viewer.post(&format!("/client/live/room/user/{live_id}"), json!({})).await.data();
    }

    let mut given = [Given::default(); VIEWERS.len()];
    for step in steps {
        server.kill();
        server.crash_at(Some(step));
        server.start().await;
        let liking = viewers
            .iter()
            .zip(given)
            .map(|(viewer, given)| tokio::spawn(like_until_dead(viewer.clone(), path.clone(), given)));
        let liked = join_all(liking).await.into_iter().map(|given| given.expect(step));
        given = liked.collect::<Vec<_>>().try_into().unwrap();
        server.crashed(SOON).await;
        if backend == Backend::Embedded {
            let rows = stored(&server, &live_id).await;
            for (viewer, given) in VIEWERS.iter().zip(given) {
                let row = rows.iter().find(|(user, _)| user == viewer).map_or(0, |(_, count)| *count);
                assert!((given.surely..=given.at_most).contains(&row), "{step}, {viewer}: {row}, {given:?}");
            }
        }
    }

    server.crash_at(None);
    server.start().await;
    let mut expected = Vec::new();
    for ((viewer, name), given) in viewers.iter().zip(VIEWERS).zip(given) {
        let mine = viewer.put(&path, json!({})).await.data()["count"].as_i64().unwrap();
        assert!((given.surely + 1..=given.at_most + 1).contains(&mine), "{name}: {mine}, {given:?}");
        expected.push((name.to_owned(), mine));
    }
    let total = viewers[0].put(&path, json!({})).await.data()["total"].as_i64().unwrap();
    expected[0].1 += 1;
    assert_eq!(total, expected.iter().map(|(_, count)| count).sum::<i64>(), "the sum of all");
    wait_until("all is written", SOON, async || stored(&server, &live_id).await == expected).await;
}

#[rstest]
#[case::marked("adopt_likes.marked")]
#[case::noted("adopt_likes.noted")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_old_likes_are_taken_over_loses_none(#[case] step: &str) {
    let mut server = Setup::new(Backend::Redis).await.start().await;
    let room = server.client_of("anchor").await.go_live("likes").await;
    let live_id = room["live_id"].as_str().unwrap().to_owned();
    server.kill();
    let client = redis::Client::open(format!("redis://{}/", env::redis())).unwrap();
    let mut connection = client.get_connection().unwrap();
    let prefix = format!("{}:", server.database().schema());
    let second = chrono::Utc::now().timestamp() - 20;
    let mut old = redis::pipe();
    old.cmd("HSET").arg(format!("{prefix}like:{live_id}")).arg(&["ann", "4", "bob", "2", "_", "6"]);
    old.cmd("SADD").arg(format!("{prefix}like_rooms:{second}")).arg(&live_id);
    old.cmd("SADD").arg(format!("{prefix}like_users:{live_id}:{second}")).arg(&["ann", "bob"]);
    let _: redis::Value = old.query(&mut connection).unwrap();
    // As the old server left it.
    let sql = format!("REPLACE INTO live_like_flush (id, last_update_time) VALUES (1, {})", second - 1);
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut server.database().mysql().await).await.unwrap();

    server.crash_at(Some(step));
    server.spawn();
    server.crashed(SOON).await;
    assert_eq!(stored(&server, &live_id).await, []);
    server.crash_at(None);
    server.start().await;
    let expected = [("ann".to_owned(), 4), ("bob".to_owned(), 2)];
    wait_until("all is written", SOON, async || stored(&server, &live_id).await == expected).await;
}
