//! All nodes are restarted, one after the other, and nobody notices.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::stage::Stage;
use crate::support::client::Client;
use crate::support::follower::Follower;
use crate::support::realtime::Socket;

const END: Duration = Duration::from_secs(45);
/// Who send requests without a pause.
const CALLERS: usize = 16;
/// Between two messages in the room.
const PACE: Duration = Duration::from_millis(250);

/// Restarts the nodes while at least `requests` go through nginx and `followers` listen.
pub async fn drill(stage: &Stage, requests: usize, followers: usize) {
    let room = format!("room:{}", stage.live_id);
    let url = format!("ws://{}/realtime", stage.cluster.nginx_addr());
    let users = join_all(
        (0..CALLERS.max(followers)).map(async |number| stage.guest(&format!("rolling-{number}")).await),
    )
    .await;
    let mut listeners = Vec::new();
    for user in &users[..followers] {
        let mut listener = Follower::new(std::slice::from_ref(&url), user.token(), &room);
        listener.come(0).await;
        listeners.push(listener);
    }
    let (restarted, done) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
    let callers = users[..CALLERS].iter().map(|user| {
        let (restarted, done) = (restarted.clone(), Arc::clone(&done));
        tokio::spawn(call(user.clone(), stage.live_id.clone(), requests, restarted, done))
    });
    let callers: Vec<_> = callers.collect();
    let said_all = CancellationToken::new();
    let speaking = speak(stage, &room, said_all.clone());
    let listening = join_all(listeners.iter_mut().map(|listener| listener.hear(LAST)));
    let restarting = async {
        for node in stage.cluster.nodes() {
            assert!(node.daemon.terminate(END).await.unwrap().success(), "node {}", node.id);
            node.daemon.start().await.unwrap();
        }
        restarted.cancel();
        for caller in callers {
            caller.await.unwrap();
        }
        said_all.cancel();
    };
    let (said, _, ()) = tokio::join!(speaking, listening, restarting);
    for listener in &listeners {
        assert_eq!(
            (listener.unrecovered, listener.lost),
            (0, 0),
            "somebody was told that messages may be missing"
        );
        assert!(listener.recovered > 0, "somebody was not sent away");
        let heard: BTreeSet<_> = listener.heard.values().collect();
        let missing: Vec<_> = (0..said).map(said_as).filter(|text| !heard.contains(text)).collect();
        assert!(missing.is_empty(), "somebody did not hear {missing:?}");
    }
    let resumed: usize = listeners.iter().map(|listener| listener.recovered).sum();
    eprintln!(
        "cluster: a rolling restart; {} requests through nginx, 0 failed; {followers} WebSocket clients came back \
         {resumed} times and heard all {said} messages",
        done.load(Ordering::Relaxed),
    );
}

/// The last message.
const LAST: &str = "rolling to an end";

/// The messages before.
fn said_as(number: usize) -> String {
    format!("rolling {number}")
}

/// Sends requests until there are enough of all callers, and the nodes are restarted. None may fail.
async fn call(
    user: Client,
    live_id: String,
    enough: usize,
    restarted: CancellationToken,
    done: Arc<AtomicUsize>,
) {
    for turn in 0_usize.. {
        if restarted.is_cancelled() && done.load(Ordering::Relaxed) >= enough {
            return;
        }
        let room = format!("/client/live/room/user/{live_id}");
        let answer = match turn % 6 {
            0 => user.try_get(&format!("/client/live/room/info/{live_id}")).await,
            1 => user.try_get(&format!("/client/live/room/heartbeat/{live_id}")).await,
            2 => user.try_get("/client/live/room/list?page_num=1&page_size=20").await,
            3 => user.try_put(&format!("/client/live/room/{live_id}/like"), json!({"count": 1})).await,
            4 => user.try_post(&room, json!({})).await,
            _ => user.try_get("/client/user/profile").await,
        };
        let status = answer.as_ref().map(|answer| answer.status);
        assert_eq!(status, Some(200), "turn {turn}: {answer:?}");
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Says something again and again over a connection that comes back, each until it is acknowledged; how many
/// before the last.
async fn speak(stage: &Stage, room: &str, until: CancellationToken) -> usize {
    let url = format!("ws://{}/realtime", stage.cluster.nginx_addr());
    let mut socket: Option<Socket> = None;
    let mut said = 0;
    loop {
        let is_last = until.is_cancelled();
        let text = if is_last { LAST.to_owned() } else { said_as(said) };
        loop {
            let open = match &mut socket {
                Some(open) => open,
                None => match Socket::try_open(&format!("{url}?token={}", stage.guest.token())).await {
                    Ok(mut new) => {
                        new.next().await;
                        socket.insert(new)
                    }
                    Err(_) => continue,
                },
            };
            let data = json!({"channel": room, "action": "liveroom-pubchat", "data": text});
            match open.try_ask("publish", data).await {
                Some(answer) if answer["error"].is_null() => break,
                Some(answer) => assert_eq!(answer["error"]["code"], 429, "{answer}"),
                // Perhaps it was said; then it will be said twice.
                None => socket = None,
            }
            tokio::time::sleep(PACE).await;
        }
        if is_last {
            return said;
        }
        said += 1;
        tokio::time::sleep(PACE).await;
    }
}
