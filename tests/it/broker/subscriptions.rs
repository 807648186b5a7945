//! Subscriptions that end unasked while their connection is healthy, and listeners that are slow.

use std::sync::Arc;

use config::CacheConfig;
use store::broker::Heard;

use super::bed::{Bed, SOON, open, publish};
use super::meddler::Meddler;
use crate::cache::backend::{config, eventually};
use crate::support::redis::RedisServer;

/// The channel of Redis in which a channel is published.
fn name_of(server: &RedisServer, channel: &str) -> String {
    let names: Vec<String> = server.run(&["PUBSUB", "CHANNELS", &format!("*:channel:{channel}")]);
    assert_eq!(names.len(), 1, "{names:?}");
    names[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_went_silent_is_repaired_by_resubscribing() {
    let server = RedisServer::start(&[]);
    let meddler = Meddler::start(server.addr()).await;
    let mut over = config(vec![meddler.addr()]);
    let (broker, mut ear) = open(&CacheConfig::Node(over.clone())).await;
    over.addrs = vec![server.addr()];
    let (speaker, _hearing) = open(&CacheConfig::Node(over)).await;
    for channel in ["silent", "other"] {
        broker.subscribe(channel).await.unwrap();
    }
    meddler.unsubscribe(&name_of(&server, "silent"), true);
    let lost = eventually("nobody hears", SOON, async || {
        let (position, nodes) = publish(&speaker, "silent", "lost").await;
        (nodes == 0).then_some(position)
    })
    .await;
    publish(&speaker, "other", "goes on").await;
    ear.body("goes on").await;
    broker.subscribe("silent").await.unwrap();
    assert_eq!(publish(&speaker, "silent", "lost too").await.1, 0, "it is believed to be there");
    let now = broker.positions(&[Arc::from("silent")]).await.unwrap()[0].unwrap();
    assert_eq!((now.epoch, now.offset), (lost.epoch, lost.offset + 1), "the position tells");
    broker.resubscribe("silent").await.unwrap();
    publish(&speaker, "silent", "heard").await;
    let next = ear.next().await;
    assert!(
        matches!(&next, Heard::Publication { publication, .. } if publication.offset == now.offset + 1),
        "{next:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_ends_unasked_is_made_anew_and_told() {
    let server = RedisServer::start(&[]);
    let meddler = Meddler::start(server.addr()).await;
    let (broker, mut ear) = open(&CacheConfig::Node(config(vec![meddler.addr()]))).await;
    broker.subscribe("c").await.unwrap();
    meddler.unsubscribe(&name_of(&server, "c"), false);
    ear.interruption(&["c"]).await;
    // The meddler's command reached the other connection too, which is replaced by that.
    eventually("it is heard again", SOON, async || {
        let published = broker.publish("c", b"again", super::bed::KEEP, Default::default()).await;
        published.is_ok().then_some(())
    })
    .await;
    ear.body("again").await;
}

async fn a_slow_listener_misses_nothing(mut bed: Bed) {
    const MESSAGES: u64 = 12_000;
    bed.subscribe("c").await;
    let publishers = (0..16).map(|number| {
        let broker = bed.brokers[number % 2].clone();
        tokio::spawn(async move {
            for _ in 0..MESSAGES / 16 {
                publish(&broker, "c", "x").await;
            }
        })
    });
    for publisher in futures_util::future::join_all(publishers).await {
        publisher.unwrap();
    }
    for ear in &mut bed.ears {
        for offset in 1..=MESSAGES {
            let next = ear.next().await;
            assert!(
                matches!(&next, Heard::Publication { publication, .. } if publication.offset == offset),
                "{offset}: {next:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_listener_misses_nothing_on_a_node() {
    a_slow_listener_misses_nothing(Bed::node().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_listener_misses_nothing_on_a_cluster() {
    a_slow_listener_misses_nothing(Bed::cluster().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_takes_nothing_in_makes_memory_refuse() {
    let bed = Bed::memory().await;
    bed.subscribe("c").await;
    let mut published = 0;
    let refused = loop {
        match bed.brokers[0].publish("c", b"x", super::bed::KEEP, Default::default()).await {
            Ok(_) => published += 1,
            Err(error) => break error,
        }
        assert!(published < 100_000, "memory is bounded");
    };
    assert!(matches!(refused, store::broker::BrokerError::Busy));
    let now = bed.brokers[0].positions(&[Arc::from("c")]).await.unwrap()[0].unwrap();
    assert_eq!(now.offset, published, "what is refused was not published");
    publish(&bed.brokers[0], "unheard", "x").await;
}
