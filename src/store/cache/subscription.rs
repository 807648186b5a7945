//! The subscription to what other processes announce.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::PubSub;
use redis::{RedisResult, Value, cmd, from_redis_value};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::connector::Connector;
use super::invalidation::{Announcement, Listeners, Message};
use super::link::{DEADLINE, Link};

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
        link: Arc<Link>,
        channel: String,
        listeners: Listeners,
    ) -> Self {
        let (sender, subscribed) = watch::channel(false);
        let keeper = tokio::spawn(async move {
            let mut number = rand::random_range(0..1024);
            loop {
                let known = if connector.is_cluster() { cluster_nodes(&link).await } else { Vec::new() };
                let attempt = subscribe(&connector, known, number, &channel);
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

async fn subscribe(
    connector: &Connector,
    known: Vec<(String, u16)>,
    number: usize,
    channel: &str,
) -> RedisResult<PubSub> {
    let mut pubsub = connector.connect_pubsub(known, number).await?;
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

/// Host and port of every node of the cluster; none when it does not tell.
async fn cluster_nodes(link: &Link) -> Vec<(String, u16)> {
    let Ok(Value::Array(ranges)) = link.command::<Value>(cmd("CLUSTER").arg("SLOTS").to_owned()).await else {
        return Vec::new();
    };
    let mut nodes = Vec::new();
    // A range is its first and last slot, then its nodes: host, port, and more.
    for range in ranges {
        let Value::Array(range) = range else { continue };
        for node in range.into_iter().skip(2) {
            let Value::Array(node) = node else { continue };
            let mut fields = node.into_iter();
            let host = fields.next().and_then(|host| from_redis_value::<String>(host).ok());
            let port = fields.next().and_then(|port| from_redis_value::<u16>(port).ok());
            nodes.extend(host.filter(|host| !host.is_empty()).zip(port));
        }
    }
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}
