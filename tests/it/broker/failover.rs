//! A Redis Cluster whose masters are lost, and whose slots move.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::Bytes;
use config::CacheConfig;
use store::broker::{Broker, Epoch, Heard, Pace, Published};

use super::bed::{Bed, KEEP, open, publish};
use crate::cache::backend::{config, eventually};
use crate::support::redis::{RedisCluster, RedisServer};

const SOON: Duration = Duration::from_secs(20);

/// What every offset was found to name.
#[derive(Default)]
struct Named(Mutex<HashMap<(String, Epoch, u64), Bytes>>);

impl Named {
    fn note(&self, channel: &str, epoch: Epoch, offset: u64, body: &[u8]) {
        let body = Bytes::copy_from_slice(body);
        let mut named = self.0.lock().unwrap();
        let known = named.entry((channel.to_owned(), epoch, offset)).or_insert_with(|| body.clone());
        assert_eq!(*known, body, "offset {offset} of epoch {epoch} in {channel} names two messages");
    }
}

/// Publishes until stopped, and notes what was acknowledged.
async fn speak(broker: Broker, channels: Vec<String>, speaker: usize, named: Arc<Named>) {
    for number in 0.. {
        let channel = &channels[number % channels.len()];
        let body = format!("{speaker}:{number}");
        if let Ok(Published::At { position, .. }) =
            broker.publish(channel, body.as_bytes(), KEEP, Pace::default()).await
        {
            named.note(channel, position.epoch, position.offset, body.as_bytes());
        }
        tokio::task::yield_now().await;
    }
}

/// The key of a channel's position.
fn key_of(cluster: &RedisCluster, prefix: &str, channel: &str) -> String {
    let pattern = format!("{prefix}*:position:{channel}");
    let of_node = |node: &RedisServer| node.run::<Vec<String>>(&["KEYS", &pattern]);
    cluster.nodes.iter().flat_map(of_node).next().expect("the channel is known")
}

/// Harms a master under load: subscriptions come back, epochs change, no offset names two messages.
async fn survives(harm: impl FnOnce(&RedisServer)) {
    let cluster = RedisCluster::start();
    let redis = config(cluster.addrs());
    let over = CacheConfig::Cluster(redis.clone());
    let ((one, mut ear), (other, mut far)) = (open(&over).await, open(&over).await);
    let channels: Vec<String> = (0..30).map(|number| format!("room:{number}")).collect();
    let mut before = HashMap::new();
    for channel in &channels {
        one.subscribe(channel).await.unwrap();
        other.subscribe(channel).await.unwrap();
        before.insert(channel.clone(), publish(&one, channel, "before").await.0);
    }
    let harmed = cluster.master_of(&key_of(&cluster, &redis.key_prefix, &channels[0]), 0);
    let is_harmed = |channel: &&String| {
        cluster.master_of(&key_of(&cluster, &redis.key_prefix, channel), 0).port() == harmed.port()
    };
    let (lost, kept): (Vec<String>, Vec<String>) =
        channels.iter().cloned().partition(|channel| is_harmed(&channel));
    assert!(!lost.is_empty() && !kept.is_empty());
    cluster.replicate();

    let named = Arc::new(Named::default());
    let speakers: Vec<_> = (0..4)
        .map(|speaker| {
            let broker = if speaker % 2 == 0 { one.clone() } else { other.clone() };
            tokio::spawn(speak(broker, channels.clone(), speaker, named.clone()))
        })
        .collect();
    let hearing = tokio::spawn({
        let (named, lost) = (named.clone(), lost.clone());
        async move {
            let mut missing = lost;
            while !missing.is_empty() {
                match ear.next().await {
                    Heard::Publication { channel, epoch, publication } => {
                        named.note(&channel, epoch, publication.offset, &publication.body);
                    }
                    Heard::Interrupted { channels } => {
                        missing.retain(|channel| !channels.iter().any(|heard| **heard == **channel));
                    }
                }
            }
            ear
        }
    });
    let draining = tokio::spawn(async move {
        let mut interrupted = Vec::new();
        while let Some(heard) = far.0.recv().await {
            if let Heard::Interrupted { channels } = heard {
                interrupted.extend(channels);
            }
        }
        interrupted
    });
    harm(harmed);
    let mut ear = tokio::time::timeout(SOON, hearing).await.expect("the subscriptions are back").unwrap();
    for speaker in speakers {
        speaker.abort();
        assert!(speaker.await.unwrap_err().is_cancelled(), "no offset names two messages");
    }
    for channel in &channels {
        let now = eventually("it can be published again", SOON, async || {
            match one.publish(channel, b"after", KEEP, Pace::default()).await {
                Ok(Published::At { position, nodes: 2 }) => Some(position),
                _ => None,
            }
        })
        .await;
        named.note(channel, now.epoch, now.offset, b"after");
        assert_eq!(now.epoch != before[channel].epoch, lost.contains(channel), "{channel}");
    }
    let mut missing = channels.clone();
    while !missing.is_empty() {
        let (channel, epoch, publication) = ear.message().await;
        named.note(&channel, epoch, publication.offset, &publication.body);
        if publication.body == "after" {
            missing.retain(|missing| *missing != channel);
        }
    }
    drop(other);
    draining.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_killed_ends_the_epochs_of_its_channels() {
    survives(RedisServer::kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_hangs_ends_the_epochs_of_its_channels() {
    survives(RedisServer::freeze).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_follows_its_slot_to_another_master() {
    let cluster = RedisCluster::start();
    let redis = config(cluster.addrs());
    let (broker, mut ear) = open(&CacheConfig::Cluster(redis.clone())).await;
    let (speaker, _hearing) = open(&CacheConfig::Cluster(redis.clone())).await;
    broker.subscribe("c").await.unwrap();
    let (before, nodes) = publish(&speaker, "c", "before").await;
    assert_eq!(nodes, 1);
    ear.body("before").await;

    let key = key_of(&cluster, &redis.key_prefix, "c");
    let from = cluster.master_of(&key, 0);
    let others = (0..100).map(|number| cluster.master_of(&number.to_string(), 0));
    let to = others.into_iter().find(|node| node.port() != from.port()).unwrap();
    let slot = from.run::<u16>(&["CLUSTER", "KEYSLOT", &key]).to_string();
    let (from_id, to_id): (String, String) = (from.run(&["CLUSTER", "MYID"]), to.run(&["CLUSTER", "MYID"]));
    to.run::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.run::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    let port = to.port().to_string();
    for key in from.run::<Vec<String>>(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]) {
        from.run::<()>(&["MIGRATE", "127.0.0.1", &port, &key, "0", "1000"]);
    }
    for node in [to, from] {
        node.run::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
    ear.interruption(&["c"]).await;
    let found = speaker.history("c", Some(before), 10).await.unwrap();
    assert!(found.position.epoch != before.epoch, "another server numbers anew");
    assert_eq!(publish(&speaker, "c", "after").await.1, 1);
    ear.body("after").await;
    broker.unsubscribe("c").await;
    eventually("nobody hears", SOON, async || (publish(&speaker, "c", "unheard").await.1 == 0).then_some(()))
        .await;
    for node in &cluster.nodes {
        assert_eq!(node.run::<Vec<String>>(&["PUBSUB", "SHARDCHANNELS"]), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_are_spread_over_all_masters() {
    let bed = Bed::cluster().await;
    let CacheConfig::Cluster(redis) = &bed.config else { panic!("a cluster") };
    for number in 0..64 {
        publish(&bed.brokers[0], &format!("room:{number}"), "x").await;
    }
    let on = |addr: &String| -> usize {
        let mut connection =
            redis::Client::open(format!("redis://{addr}/")).unwrap().get_connection().unwrap();
        let keys: Vec<String> =
            redis::cmd("KEYS").arg(format!("{}*position*", redis.key_prefix)).query(&mut connection).unwrap();
        keys.len()
    };
    // Each master and its replica.
    eventually("six servers have their share", SOON, async || {
        let counts: Vec<usize> = redis.addrs.iter().map(on).filter(|count| *count > 0).collect();
        (counts.len() == 6 && counts.iter().all(|count| (8..40).contains(count))).then_some(())
    })
    .await;
}
