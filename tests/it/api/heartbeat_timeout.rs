//! http-api.md §5: who is silent is out, and a live whose anchor is silent ends. On servers with short
//! time-outs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::world::{User, eventually};
use super::{Api, Verdict, cases};

cases![
    a_silent_viewer_is_out_and_a_heartbeat_brings_them_back,
    a_heartbeat_brings_nobody_back_who_left_or_went_elsewhere,
    a_silent_anchor_ends_the_live,
];

/// Far more than the time-outs below and the pause between two runs of a job.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps `user` heard in the room until the task is aborted.
fn keep_beating(api: &Api, user: &User, live_id: &str) -> tokio::task::JoinHandle<()> {
    let (api, user, live_id) = (api.clone(), user.clone(), live_id.to_owned());
    tokio::spawn(async move {
        loop {
            api.beat(&user, &live_id).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    })
}

async fn until_out(api: &Api, viewer: &User, live_id: &str, silent: &User) {
    eventually("the silent one is out of the list", PATIENCE, || async {
        !api.members(viewer, live_id).await.contains(&silent.id)
    })
    .await;
}

async fn a_silent_viewer_is_out_and_a_heartbeat_brings_them_back(api: Api) -> Verdict {
    let own = api.own_server(|config| config.live.viewer_timeout_s = 2).await?;
    let target = own.api();
    let (anchor, silent) = (target.user().await, target.user().await);
    let id = target.live_room(&anchor).await;
    target.join(&silent, &id).await;
    let beating = keep_beating(&target, &anchor, &id);
    until_out(&target, &anchor, &id, &silent).await;
    let room = target.info(&anchor, &id).await;
    assert_eq!((&room["online_count"], &room["anchor_status"]), (&json!(1), &json!(1)), "{room}");
    assert_eq!(target.beat(&silent, &id).await, 1);
    assert_eq!(target.members(&anchor, &id).await.len(), 2);
    assert_eq!(target.info(&anchor, &id).await["online_count"], 2);
    assert!(!beating.is_finished(), "the one who was heard was refused");
    beating.abort();
    own.stop().await;
    Ok(())
}

async fn a_heartbeat_brings_nobody_back_who_left_or_went_elsewhere(api: Api) -> Verdict {
    let own = api.own_server(|config| config.live.viewer_timeout_s = 2).await?;
    let target = own.api();
    let (anchor, other, leaver, mover) =
        (target.user().await, target.user().await, target.user().await, target.user().await);
    let (id, elsewhere) = (target.live_room(&anchor).await, target.live_room(&other).await);
    let beating = [keep_beating(&target, &anchor, &id), keep_beating(&target, &other, &elsewhere)];
    for viewer in [&leaver, &mover] {
        target.join(viewer, &id).await;
        until_out(&target, &anchor, &id, viewer).await;
    }
    target.leave(&leaver, &id).await;
    target.beat_refused(&leaver, &id).await;
    target.join(&mover, &elsewhere).await;
    target.beat_refused(&mover, &id).await;
    assert_eq!(target.beat(&mover, &elsewhere).await, 1);
    assert_eq!(target.members(&anchor, &id).await, [anchor.id.as_str()]);
    beating.iter().for_each(tokio::task::JoinHandle::abort);
    own.stop().await;
    Ok(())
}

async fn a_silent_anchor_ends_the_live(api: Api) -> Verdict {
    let own = api
        .own_server(|config| (config.live.anchor_timeout_s, config.live.viewer_timeout_s) = (3, 600))
        .await?;
    let target = Arc::new(own.api());
    let (anchor, heard, viewer) = (target.user().await, target.user().await, target.user().await);
    let (silent, loud) = (target.live_room(&anchor).await, target.live_room(&heard).await);
    let created = target.room(&target.user().await).await;
    target.join(&viewer, &silent).await;
    let beating = keep_beating(&target, &heard, &loud);
    eventually("the live ends", PATIENCE, || async { target.beat(&viewer, &silent).await == 2 }).await;
    let room = target.info(&viewer, &silent).await;
    assert_eq!(room["live_status"], 2);
    assert!(room["end_time"].as_i64().is_some_and(|end| end > 0), "{room}");
    assert!(target.members(&viewer, &silent).await.contains(&viewer.id), "members stay");
    target.put(format!("/client/live/room/{silent}")).by(&anchor).send().await.bad();
    assert_eq!(target.info(&viewer, &loud).await["live_status"], 1);
    assert_eq!(target.info(&viewer, &created).await["live_status"], 0);
    beating.abort();
    own.stop().await;
    Ok(())
}
