//! What is done on one node holds on the other within a second.

use std::time::Duration;

use liveloom::moderation::{Kind, Refusal};
use serde_json::json;

use super::bed::Bed;
use crate::support::server::{Backend, Setup};
use crate::support::wait::wait_until;

const SOON: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutes_and_words_hold_on_the_other_node() {
    let bed = Bed::new(false).await;
    let other = bed.other_node().await;
    bed.register(&["guest"]).await;
    let live = bed.live.as_str();
    other.may_publish(live, "guest", "a bad word").await.unwrap();
    bed.impose(Kind::Mute, "guest", None).await;
    wait_until("the other node knows of the mute", SOON, async || {
        matches!(other.may_publish(live, "guest", "a bad word").await, Err(Refusal::Muted { .. }))
    })
    .await;
    other.may_publish(live, "anchor", "a bad word").await.unwrap();
    bed.moderation.words().add(&["bad word".to_owned()], "").await.unwrap();
    wait_until("the other node knows of the word", SOON, async || {
        matches!(other.may_publish(live, "anchor", "a bad word").await, Err(Refusal::BannedWord))
    })
    .await;
    bed.moderation.words().delete(&["bad word".to_owned()]).await.unwrap();
    wait_until("the other node has forgotten the word", SOON, async || {
        other.may_publish(live, "anchor", "a bad word").await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bans_and_settings_hold_on_the_other_server() {
    let setup = Setup::new(Backend::Redis).await;
    let second = setup.beside(2);
    let (first, second) = (setup.start().await, second.start().await);
    let (one, two) = (first.client(), second.client());
    let anchor = one.log_in("anchor").await;
    let room = anchor.post("/client/live/room/instance", json!({"title": "t"})).await.data();
    let live = room["live_id"].as_str().unwrap();

    // The other node holds in memory what was so before.
    let settings = format!("/client/live/room/{live}/moderation");
    let guest = two.log_in("guest").await;
    assert_eq!(guest.get(&settings).await.data(), json!({"slow_mode_s": 0, "is_muted": false}));
    anchor.put(&settings, json!({"slow_mode_s": 30})).await.data();
    wait_until("the other node knows of the slow mode", SOON, async || {
        guest.get(&settings).await.data()["slow_mode_s"] == 30
    })
    .await;

    let join = format!("/client/live/room/user/{live}");
    guest.post(&join, json!({})).await.data();
    anchor.put(&format!("{settings}/bans/guest"), json!({"duration_s": 60})).await.data();
    assert_eq!(guest.post(&join, json!({})).await.status, 403, "at once");
    assert_eq!(guest.get(&format!("/client/live/room/heartbeat/{live}")).await.status, 500);

    assert_eq!(guest.get("/client/user/profile").await.status, 200);
    one.put("/server/bans/guest", json!({})).await.data();
    wait_until("the other node knows of the platform's ban", SOON, async || {
        guest.get("/client/user/profile").await.status == 403
    })
    .await;
    assert_eq!(one.try_delete("/server/bans/guest").await.unwrap().status, 200);
    wait_until("the other node knows that the token is revoked", SOON, async || {
        guest.get("/client/user/profile").await.status == 401
    })
    .await;
    let again = two.log_in("guest").await;
    assert_eq!(again.get("/client/user/profile").await.status, 200);
    assert_eq!(guest.get("/client/user/profile").await.status, 401, "for good");
}
