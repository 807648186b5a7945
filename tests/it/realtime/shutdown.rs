//! Nodes that stop, and nodes that are gone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use super::bed::{Bed, join, said};
use crate::support::follower::Follower;
use crate::support::realtime::Socket;
use crate::support::server::Backend;

const LIMIT: Duration = Duration::from_secs(60);

/// A node that is asked to stop sends its connections away one by one, takes no new ones meanwhile, and
/// they go on elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_sends_its_connections_elsewhere() {
    let here = Bed::start(Backend::Redis, "realtime: {drain_s: 2}").await;
    let mut there = here.beside(2).await;
    let (anchor, mut speaker) = here.user("anchor").await;
    let (live_id, room) = here.room(&anchor).await;
    let urls = [there.url(), here.url()];
    let viewers = join_all((0..30).map(async |number| {
        let user = here.client.log_in(&format!("viewer-{number}")).await;
        join(&user, &live_id).await;
        let mut follower = Follower::new(&urls, user.token(), &room);
        follower.come(0).await;
        follower
    }));
    let mut viewers = viewers.await;
    let (_, mut watched) = there.viewer("watched", &live_id).await;
    speaker.follow(&room).await;
    speaker.say(&room, "before").await;

    let url = there.url();
    let stopping = async {
        let begun = Instant::now();
        assert!(there.server.terminate(LIMIT).await.success());
        begun.elapsed()
    };
    let leaving = async {
        let mut ends: BTreeMap<Duration, usize> = BTreeMap::new();
        let begun = Instant::now();
        join_all(viewers.iter_mut().map(async |viewer| {
            while viewer.listen().await {}
            let end = begun.elapsed();
            assert_eq!(viewer.closed, Some(3001));
            viewer.come(0).await;
            end
        }))
        .await
        .into_iter()
        .for_each(|end| *ends.entry(end).or_default() += 1);
        ends
    };
    let refusing = async {
        assert_eq!(watched.close_code().await, 3001);
        // As long as it is there it takes nobody.
        assert!(Socket::try_open(&url).await.is_err());
    };
    let (took, ends, ()) = tokio::join!(stopping, leaving, refusing);
    assert!(ends.len() > 10, "they leave one by one: {ends:?}");
    assert!(took < LIMIT);
    let last = speaker.say(&room, "after").await;
    for viewer in &mut viewers {
        viewer.reach(last).await;
        assert_eq!((viewer.recovered, viewer.unrecovered, viewer.lost), (1, 0, 0));
        let texts: Vec<_> = viewer.heard.values().cloned().collect();
        assert_eq!(texts, ["before", "after"]);
    }
}

/// Those who were connected to a node that was killed are not counted for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_count_is_right_again_after_a_node_was_killed() {
    let here = Bed::start(Backend::Redis, "").await;
    let mut there = here.beside(2).await;
    let (anchor, mut at_anchor) = here.user("anchor").await;
    let (live_id, room) = here.room(&anchor).await;
    at_anchor.follow(&room).await;
    let mut stays = here.viewer("stays", &live_id).await.1;
    let gone =
        join_all((0..10).map(async |number| there.viewer(&format!("gone-{number}"), &live_id).await)).await;
    until_count(&mut at_anchor, 12).await;
    there.server.kill();
    drop(gone);
    let killed = Instant::now();
    until_count(&mut at_anchor, 2).await;
    eprintln!("the count was right {:?} after the kill", killed.elapsed());
    let present = stays.result("presence", json!({"channel": room})).await;
    assert_eq!(present["online_count"], 2);
    let info = anchor.get(&format!("/client/live/room/info/{live_id}")).await.data();
    assert_eq!(info["online_count"], 2);
}

async fn until_count(socket: &mut Socket, count: i64) {
    while said(&socket.next_of("online_count").await).1["online_count"] != count {}
}
