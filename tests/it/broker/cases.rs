//! What every kind of broker does alike.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::CacheConfig;
use futures_util::future::join_all;
use store::broker::{Broker, Epoch, History, Keep, Pace, Position, Published};

use super::bed::{Bed, KEEP, SOON, publish, text};
use crate::cache::backend::eventually;

fn offsets(history: &History) -> Vec<u64> {
    history.publications.iter().map(|publication| publication.offset).collect()
}

async fn publish_keeping(broker: &Broker, body: &str, keep: Keep) -> Position {
    let Published::At { position, .. } =
        broker.publish("c", body.as_bytes(), keep, Pace::default()).await.unwrap()
    else {
        panic!("there is no limit")
    };
    position
}

pub async fn all_hear_one_order_of_concurrent_publishers(mut bed: Bed) {
    const EACH: usize = 50;
    bed.subscribe("c").await;
    let publishers = (0..16_usize).map(|publisher| {
        let broker = bed.brokers[publisher % 2].clone();
        tokio::spawn(async move {
            let mut last = 0;
            for number in 0..EACH {
                let (position, _) = publish(&broker, "c", format!("{publisher}:{number}")).await;
                assert!(position.offset > last);
                last = position.offset;
            }
        })
    });
    for publisher in join_all(publishers).await {
        publisher.unwrap();
    }
    let mut heard = Vec::new();
    for ear in &mut bed.ears {
        let mut messages = Vec::new();
        for _ in 0..16 * EACH {
            let (channel, epoch, publication) = ear.message().await;
            messages.push((channel, epoch, publication));
        }
        heard.push(messages);
    }
    let expected: Vec<u64> = (1..=16 * EACH as u64).collect();
    assert_eq!(heard[0].iter().map(|(_, _, publication)| publication.offset).collect::<Vec<_>>(), expected);
    assert!(heard.iter().all(|messages| *messages == heard[0]));
    assert!(heard[0].is_sorted_by_key(|(_, _, publication)| publication.at_ms));
    let history = bed.brokers[1].history("c", None, usize::MAX).await.unwrap();
    assert!(history.is_complete);
    assert!(history.publications.iter().eq(heard[0].iter().map(|(_, _, publication)| publication)));
}

pub async fn history_is_complete_or_says_so(bed: Bed) {
    let keep = Keep { messages: 5, ..KEEP };
    let [one, other] = &bed.brokers;
    let mut position = one.position("c", keep).await.unwrap();
    assert_eq!(position.offset, 0);
    let empty = other.history("c", Some(position), 10).await.unwrap();
    assert_eq!((empty.position, empty.is_complete, offsets(&empty)), (position, true, vec![]));
    for number in 1..=8 {
        position = publish_keeping(&bed.brokers[number % 2], &number.to_string(), keep).await;
    }
    assert_eq!(position.offset, 8);
    let since = |offset| Some(Position { offset, ..position });
    for (since, limit, expected, is_complete) in [
        (None, 100, vec![4, 5, 6, 7, 8], false),
        (None, 2, vec![7, 8], false),
        (since(2), 100, vec![4, 5, 6, 7, 8], false),
        (since(3), 100, vec![4, 5, 6, 7, 8], true),
        (since(3), 5, vec![4, 5, 6, 7, 8], true),
        (since(3), 2, vec![4, 5], false),
        (since(0), 2, vec![4, 5], false),
        (since(7), 1, vec![8], true),
        (since(7), 0, vec![], false),
        (since(8), 0, vec![], true),
        (since(9), 100, vec![], false),
        (Some(Position { epoch: Epoch(!position.epoch.0), offset: 8 }), 100, vec![4, 5, 6, 7, 8], false),
        (Some(Position { epoch: Epoch(!position.epoch.0), offset: 5 }), 1, vec![8], false),
    ] {
        let history = other.history("c", since, limit).await.unwrap();
        assert_eq!((offsets(&history), history.is_complete), (expected, is_complete), "{since:?} {limit}");
        assert_eq!(history.position, position);
        let bodies = history.publications.iter().map(text);
        assert!(bodies.eq(history.publications.iter().map(|publication| publication.offset.to_string())));
    }
}

pub async fn fewer_messages_are_kept_when_told(bed: Bed) {
    let broker = &bed.brokers[0];
    let kept = async |messages| {
        publish_keeping(broker, "x", Keep { messages, ..KEEP }).await;
        offsets(&broker.history("c", None, 100).await.unwrap())
    };
    for offset in 1..=5 {
        assert_eq!(kept(5).await.last(), Some(&offset));
    }
    assert_eq!(kept(2).await, [5, 6]);
    assert_eq!(kept(3).await, [5, 6, 7]);
    assert_eq!(kept(0).await, Vec::<u64>::new());
    assert_eq!(kept(2).await, [9]);
}

pub async fn what_is_old_is_gone(bed: Bed) {
    let broker = &bed.brokers[0];
    let keep = Keep { messages: 1000, time: Duration::from_millis(300), ..KEEP };
    let start = publish_keeping(broker, "first", keep).await;
    let since = Position { offset: 0, ..start };
    assert!(broker.history("c", Some(since), 100).await.unwrap().is_complete);
    // While later ones come, the first expires.
    let (history, now) = eventually("the first is gone", SOON, async || {
        let now = publish_keeping(broker, "later", keep).await;
        let history = broker.history("c", Some(since), 2000).await.unwrap();
        (offsets(&history).first() != Some(&1)).then_some((history, now))
    })
    .await;
    let kept = offsets(&history);
    assert!(!history.is_complete && !kept.is_empty());
    assert!(kept.iter().copied().eq(kept[0]..=now.offset), "{kept:?}");
    eventually("all are gone", SOON, async || {
        let history = broker.history("c", Some(since), 100).await.unwrap();
        assert!(!history.is_complete);
        history.publications.is_empty().then_some(())
    })
    .await;
    assert!(!broker.replace("c", now, b"new").await.unwrap());
    assert!(broker.history("c", Some(now), 100).await.unwrap().is_complete, "nothing was missed");
    let next = publish_keeping(broker, "next", keep).await;
    assert_eq!(next, Position { offset: now.offset + 1, ..now });
}

/// Of barrage that is a short while: anybody may name such a channel.
pub async fn a_channel_in_which_nothing_was_published_is_known_for_as_long_as_told(bed: Bed) {
    let [one, other] = &bed.brokers;
    let short = Keep { idle: Duration::from_millis(1), ..KEEP };
    let begun = one.position("short", short).await.unwrap();
    one.position("long", KEEP).await.unwrap();
    one.position("c", short).await.unwrap();
    publish_keeping(one, "used", short).await;
    let positions = async |names: &[&str]| {
        let names: Vec<Arc<str>> = names.iter().map(|name| (*name).into()).collect();
        other.positions(&names).await.unwrap()
    };
    eventually("it is forgotten", SOON, async || (positions(&["short"]).await == [None]).then_some(())).await;
    let found = positions(&["long", "c"]).await;
    let offsets = found.iter().map(|position| position.map(|position| position.offset));
    assert_eq!(offsets.collect::<Vec<_>>(), [Some(0), Some(1)]);
    let again = one.position("short", KEEP).await.unwrap();
    assert!(again.offset == 0 && again.epoch != begun.epoch, "it begins anew");
}

pub async fn a_channel_is_known_once_it_has_a_position(bed: Bed) {
    let [one, other] = &bed.brokers;
    let channels: Vec<Arc<str>> = (0..600).map(|number| format!("c:{number}").into()).collect();
    assert_eq!(one.positions(&channels).await.unwrap(), vec![None; 600]);
    assert_eq!(one.positions(&[]).await.unwrap(), []);
    let known = one.position("c:7", KEEP).await.unwrap();
    assert_eq!(other.position("c:7", KEEP).await.unwrap(), known);
    let (published, _) = publish(other, "c:500", "x").await;
    let mut expected = vec![None; 600];
    (expected[7], expected[500]) = (Some(known), Some(published));
    assert_eq!(one.positions(&channels).await.unwrap(), expected);
    let asked = one.history("c:8", None, 10).await.unwrap();
    assert_eq!((asked.position.offset, asked.is_complete), (0, true));
    assert_eq!(other.position("c:8", KEEP).await.unwrap(), asked.position);
}

pub async fn a_kept_message_is_replaced(bed: Bed) {
    let [one, other] = &bed.brokers;
    let (first, _) = publish(one, "c", "first").await;
    let (second, _) = publish(one, "c", "second").await;
    let before = one.history("c", None, 10).await.unwrap().publications;
    assert!(other.replace("c", first, b"").await.unwrap());
    let after = one.history("c", None, 10).await.unwrap().publications;
    assert_eq!((text(&after[0]), text(&after[1])), (String::new(), "second".to_owned()));
    assert_eq!(after[0].at_ms, before[0].at_ms);
    let nowhere = [
        Position { offset: 3, ..second },
        Position { offset: 0, ..second },
        Position { epoch: Epoch(!second.epoch.0), ..second },
    ];
    for position in nowhere {
        assert!(!one.replace("c", position, b"x").await.unwrap(), "{position:?}");
    }
    assert!(!one.replace("unknown", second, b"x").await.unwrap());
    assert_eq!(one.history("c", None, 10).await.unwrap().publications, after);
}

pub async fn the_pace_of_a_channel_is_exact_over_all_nodes(bed: Bed) {
    let pace = Pace { per_second: Some(20), user: None };
    let mut counts = BTreeMap::new();
    let mut since = bed.brokers[0].position("c", KEEP).await.unwrap();
    while counts.len() < 4 {
        let calls = (0..8).map(|number| bed.brokers[number % 2].publish("c", b"x", KEEP, pace));
        for published in join_all(calls).await {
            if let Published::TooFast { retry_after } = published.unwrap() {
                assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_secs(1));
            }
        }
        let history = bed.brokers[0].history("c", Some(since), 1000).await.unwrap();
        assert!(history.is_complete, "what is refused takes no offset");
        for publication in &history.publications {
            *counts.entry(publication.at_ms / 1000).or_insert(0) += 1;
        }
        since = history.position;
    }
    let counts: Vec<i32> = counts.into_values().collect();
    assert_eq!(counts[1..3], [20, 20], "{counts:?}");
    let none = Pace { per_second: Some(0), user: None };
    let refused = bed.brokers[0].publish("other", b"x", KEEP, none).await.unwrap();
    assert!(matches!(refused, Published::TooFast { .. }));
}

pub async fn a_user_is_slowed_down_on_all_nodes(bed: Bed) {
    let [one, other] = &bed.brokers;
    let pause = Duration::from_millis(500);
    let by = async |broker: &Broker, user| {
        broker
            .publish("c", b"x", KEEP, Pace { per_second: Some(1000), user: Some((user, pause)) })
            .await
            .unwrap()
    };
    let Published::At { position, .. } = by(one, "a").await else { panic!("the first passes") };
    let Published::TooFast { retry_after } = by(other, "a").await else { panic!("too fast") };
    assert!(retry_after > Duration::ZERO && retry_after <= pause, "{retry_after:?}");
    assert!(
        matches!(by(other, "b").await, Published::At { position: next, .. } if next.offset == position.offset + 1)
    );
    eventually("the user may go on", SOON, async || {
        matches!(by(other, "a").await, Published::At { .. }).then_some(())
    })
    .await;
    assert!(matches!(by(one, "a").await, Published::TooFast { .. }));
    assert_eq!(one.position("c", KEEP).await.unwrap().offset, position.offset + 2);
}

pub async fn only_subscribed_channels_are_heard_and_nothing_is_left(mut bed: Bed) {
    let nodes = bed.nodes();
    assert_eq!(publish(&bed.brokers[0], "c", "unheard").await.1, 0);
    bed.subscribe("c").await;
    bed.subscribe("c").await;
    assert_eq!(publish(&bed.brokers[0], "other", "unheard").await.1, 0);
    assert_eq!(publish(&bed.brokers[1], "c", "heard").await.1, nodes);
    for ear in &mut bed.ears {
        let (channel, _, publication) = ear.message().await;
        assert_eq!((channel.as_str(), text(&publication).as_str()), ("c", "heard"));
    }
    for broker in &bed.brokers {
        broker.unsubscribe("c").await;
        broker.unsubscribe("never subscribed").await;
    }
    eventually("nobody hears", SOON, async || {
        (publish(&bed.brokers[0], "c", "unheard").await.1 == 0).then_some(())
    })
    .await;
    assert_eq!(subscribed(&bed), Vec::<String>::new());
    bed.subscribe("c").await;
    publish(&bed.brokers[0], "c", "again").await;
    for ear in &mut bed.ears {
        ear.body("again").await;
    }
}

/// The channels of this test that Redis has subscribers of.
fn subscribed(bed: &Bed) -> Vec<String> {
    let (command, redis) = match &bed.config {
        CacheConfig::Memory => return Vec::new(),
        CacheConfig::Node(redis) => ("CHANNELS", redis),
        CacheConfig::Cluster(redis) => ("SHARDCHANNELS", redis),
    };
    let of_server = |addr: &String| -> Vec<String> {
        let mut connection =
            redis::Client::open(format!("redis://{addr}/")).unwrap().get_connection().unwrap();
        let pattern = format!("{}*", redis.key_prefix);
        redis::cmd("PUBSUB").arg(command).arg(pattern).query(&mut connection).unwrap()
    };
    redis.addrs.iter().flat_map(of_server).collect()
}

pub async fn many_subscriptions_at_once_are_all_confirmed(mut bed: Bed) {
    let channels: Vec<String> = (0..1000).map(|number| format!("room:{number}")).collect();
    for broker in &bed.brokers {
        let subscribed = join_all(channels.iter().map(|channel| broker.subscribe(channel))).await;
        assert!(subscribed.into_iter().all(|subscribed| subscribed.is_ok()));
    }
    let published = channels.iter().map(|channel| publish(&bed.brokers[0], channel, "x"));
    assert!(join_all(published).await.into_iter().all(|(_, nodes)| nodes == bed.nodes()));
    for ear in &mut bed.ears {
        let mut heard = Vec::new();
        for _ in &channels {
            heard.push(ear.message().await.0);
        }
        heard.sort_unstable();
        heard.dedup();
        assert_eq!(heard.len(), channels.len());
    }
    for broker in &bed.brokers {
        join_all(channels.iter().map(|channel| broker.unsubscribe(channel))).await;
    }
    eventually("nothing is left", SOON, async || subscribed(&bed).is_empty().then_some(())).await;
}

pub async fn names_and_bodies_may_hold_anything(mut bed: Bed) {
    for channel in ["", "a b", "{x}", "}{", "a\r\nb", "é:😀", "\u{0}"] {
        bed.subscribe(channel).await;
        for body in [b"".to_vec(), b"\r\n$5\r\n\xff\x00".to_vec(), vec![7; 100_000]] {
            publish(&bed.brokers[0], channel, &body).await;
            for ear in &mut bed.ears {
                let (heard, _, publication) = ear.message().await;
                assert_eq!((heard.as_str(), publication.body.to_vec()), (channel, body.clone()));
            }
            let last = bed.brokers[1].history(channel, None, 1).await.unwrap();
            assert_eq!(last.publications[0].body.to_vec(), body);
        }
    }
}
