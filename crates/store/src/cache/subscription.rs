//! The subscription to what other processes announce.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::PubSub;
use redis::{ErrorKind, RedisResult, Value};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::invalidation::{Announcement, Listeners, Message};
use crate::redis::connector::{Addr, Connector};
use crate::redis::link::DEADLINE;
use crate::redis::remote::Remote;
use common::supervise;

/// How often a silent subscription is asked for an answer.
const CHECK_EVERY: Duration = Duration::from_secs(3);
/// The pause between attempts to subscribe.
const PAUSE: Duration = Duration::from_millis(200);

/// A subscription that is kept until this is dropped.
pub(super) struct Subscription {
    keeper: JoinHandle<()>,
    subscribed: watch::Receiver<bool>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Subscription {
    /// Starts to subscribe to `channel` and to tell `listeners` what is heard there.
    pub(super) fn start(
        connector: Connector,
        remote: Arc<Remote>,
        channel: String,
        listeners: Listeners,
    ) -> Self {
        let (sender, subscribed) = watch::channel(false);
        let keeper = supervise::spawn("announcements", async move {
            let mut number = rand::random_range(0..1024);
            loop {
                let nodes = remote.nodes();
                let attempt = subscribe(&connector, &nodes, number, &channel);
                if let Ok(Ok(pubsub)) = timeout(DEADLINE, attempt).await {
                    listeners.tell(Announcement::Resync);
                    sender.send_replace(true);
                    follow(pubsub, &listeners).await;
                    tracing::warn!("the subscription to announcements was lost");
                    sender.send_replace(false);
                    listeners.tell(Announcement::Resync);
                } else {
                    sleep(PAUSE).await;
                }
                // Of a cluster, another node may be better.
                number += 1;
            }
        });
        Self { keeper, subscribed }
    }

    /// Waits, up to the deadline of a call, until announcements are heard.
    pub(super) async fn settled(&self) {
        let mut subscribed = self.subscribed.clone();
        // Listeners are told to start anew when it happens later.
        let _ = timeout(DEADLINE, subscribed.wait_for(|subscribed| *subscribed)).await;
    }
}

/// Subscribes at the node of that number, counted in a circle.
async fn subscribe(
    connector: &Connector,
    nodes: &[Addr],
    number: usize,
    channel: &str,
) -> RedisResult<PubSub> {
    let Some(addr) = nodes.get(number % nodes.len().max(1)) else {
        return Err((ErrorKind::InvalidClientConfig, "no server is known").into());
    };
    let mut pubsub = connector.connect_pubsub(addr).await?;
    pubsub.subscribe(channel).await?;
    Ok(pubsub)
}

/// Passes messages on until the connection ends, or does not answer any more.
async fn follow(pubsub: PubSub, listeners: &Listeners) {
    let (mut sink, mut messages) = pubsub.split();
    loop {
        match timeout(CHECK_EVERY, messages.next()).await {
            Ok(Some(message)) => listeners.tell(Message::decode(message.get_payload_bytes())),
            Ok(None) => return,
            Err(_) => match timeout(DEADLINE, sink.ping::<Value>()).await {
                Ok(Ok(_)) => {}
                _ => return,
            },
        }
    }
}
