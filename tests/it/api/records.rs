//! http-api.md §8: recordings of explanations, with and without a media service that works.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::own::OwnServer;
use super::shop::{SIDES, Shop, Side};
use super::world::{next_second, now};
use super::{Api, NotApplicable, Verdict, cases};
use crate::support::fake::Mood;
use crate::support::fake_pili::{FakePili, SavedSpan};

cases![
    a_recording_that_cannot_be_saved_has_status_3,
    a_recording_is_told_while_it_goes_on,
    a_recording_is_saved,
    every_recording_has_its_own_file,
    another_item_ends_the_recording,
    a_failing_service_costs_three_seconds_at_most,
    without_a_service_recordings_fail,
    recordings_are_deleted,
];

/// How long the answer may take when the media service does not: its 3 seconds and some.
const LIMIT: Duration = Duration::from_secs(6);

async fn with_pili(api: &Api) -> Result<(FakePili, OwnServer), NotApplicable> {
    let keys = api.stream_keys()?;
    let pili = FakePili::start("hub", keys).await;
    let own = api.own_server(|config| config.pili.api_url = pili.url()).await?;
    Ok((pili, own))
}

async fn a_recording_that_cannot_be_saved_has_status_3(api: Api) -> Verdict {
    if api.backend.is_none() {
        return Err(NotApplicable("the target may have a media service"));
    }
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.stock(&["a"]).await;
        let before = now();
        shop.record(side, "a").await.done();
        let record = shop.end(side).await.ok().clone();
        assert_eq!(record["status"], 3, "{record}");
        assert_eq!((&record["record_url"], &record["item_id"]), (&json!(""), &json!("a")));
        assert_eq!(record["live_id"], json!(shop.live_id));
        let (start, end) = (record["start"].as_i64().expect("start"), record["end"].as_i64().expect("end"));
        assert!(before <= start && start <= end && end <= now(), "{record}");
        assert_eq!(shop.records(side).await, std::slice::from_ref(&record));
        assert_eq!(shop.item("a").await["record"], record);
        let path = format!("/item/demonstrate/record/{}/a", shop.live_id);
        shop.call(side, "GET", &path).send().await.not_found();
        shop.end(side).await.done();
    }
    Ok(())
}

async fn a_recording_is_told_while_it_goes_on(api: Api) -> Verdict {
    for side in SIDES {
        let shop = Shop::open(&api).await;
        shop.stock(&["a"]).await;
        shop.record(side, "a").await.done();
        let item = shop.demonstrated(side).await.ok().clone();
        let record = &item["record"];
        assert_eq!(
            (&record["status"], &record["end"], &record["record_url"]),
            (&json!(4), &Value::Null, &json!(""))
        );
        assert!(record["start"].is_i64() && record["id"].is_u64(), "{record}");
        assert_eq!(shop.records(side).await, std::slice::from_ref(record));
        let body = json!({"demonstrate_item": [record["id"]]});
        let answer = shop.post(side, "/item/demonstrate/record/delete", body).await;
        assert_eq!(answer.ok()["failure_demon_items"], json!([record["id"]]));
        let ended = shop.end(side).await.ok().clone();
        assert_eq!((&ended["id"], &ended["start"]), (&record["id"], &record["start"]));
    }
    Ok(())
}

async fn a_recording_is_saved(api: Api) -> Verdict {
    let (pili, own) = with_pili(&api).await?;
    for side in SIDES {
        let shop = Shop::open(&own.api()).await;
        shop.stock(&["\u{674e}/#"]).await;
        shop.record(side, "\u{674e}/#").await.done();
        next_second().await;
        let record = shop.end(side).await.ok().clone();
        assert_eq!(record["status"], 0, "{record}");
        let url = record["record_url"].as_str().expect("record_url");
        let fname = url.strip_prefix("https://playback.example/").expect("the playback URL");
        assert!(fname.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{fname}");
        let span = SavedSpan {
            stream: format!("live-{}", shop.live_id),
            start: record["start"].as_i64().expect("start"),
            end: record["end"].as_i64().expect("end"),
        };
        assert!(span.start < span.end);
        assert_eq!(pili.files().get(fname), Some(&span));
        let path = format!("/item/demonstrate/record/{}/%E6%9D%8E%2F%23", shop.live_id);
        assert_eq!(*shop.call(side, "GET", &path).send().await.ok(), record);
        assert_eq!(shop.item("\u{674e}/#").await["record"], record);
    }
    own.stop().await;
    Ok(())
}

async fn every_recording_has_its_own_file(api: Api) -> Verdict {
    let (pili, own) = with_pili(&api).await?;
    let shop = Shop::open(&own.api()).await;
    shop.stock(&["a", "b"]).await;
    for id in ["a", "b", "a", "a"] {
        shop.record(Side::Client, id).await.done();
        assert_eq!(shop.end(Side::Client).await.ok()["status"], 0);
    }
    let records = shop.records(Side::Client).await;
    let urls: std::collections::BTreeSet<&str> =
        records.iter().map(|record| record["record_url"].as_str().expect("record_url")).collect();
    assert_eq!((records.len(), urls.len(), pili.files().len()), (4, 4, 4));
    assert!(records.is_sorted_by_key(|record| record["id"].as_u64()));
    // A failed one after them is not the newest that is done.
    pili.set_mood(Mood::Status(619));
    shop.record(Side::Client, "a").await.done();
    assert_eq!(shop.end(Side::Client).await.ok()["status"], 3);
    let path = format!("/item/demonstrate/record/{}/a", shop.live_id);
    assert_eq!(*shop.call(Side::Client, "GET", &path).send().await.ok(), records[3]);
    let path = format!("/item/demonstrate/record/{}/A", shop.live_id);
    shop.call(Side::Client, "GET", &path).send().await.not_found();
    own.stop().await;
    Ok(())
}

async fn another_item_ends_the_recording(api: Api) -> Verdict {
    let (pili, own) = with_pili(&api).await?;
    for side in SIDES {
        let shop = Shop::open(&own.api()).await;
        shop.stock(&["a", "b"]).await;
        shop.record(side, "a").await.done();
        shop.record(side, "b").await.done();
        shop.record(side, "b").await.done();
        shop.demonstrate(side, "a").await.done();
        let records = shop.records(side).await;
        let facts: Vec<(&str, i64)> = records
            .iter()
            .map(|record| {
                (record["item_id"].as_str().expect("item_id"), record["status"].as_i64().expect("status"))
            })
            .collect();
        assert_eq!(facts, [("a", 0), ("b", 0), ("b", 0)]);
        assert_eq!(shop.demonstrated(side).await.ok()["item_id"], "a");
        shop.end(side).await.done();
    }
    assert_eq!(pili.files().len(), 6);
    own.stop().await;
    Ok(())
}

async fn a_failing_service_costs_three_seconds_at_most(api: Api) -> Verdict {
    let (pili, own) = with_pili(&api).await?;
    let shop = Shop::open(&own.api()).await;
    shop.stock(&["a", "b"]).await;
    let moods = [
        Mood::Slow(Duration::from_secs(30)),
        Mood::Status(500),
        Mood::Status(302),
        Mood::Status(204),
        Mood::Garbage(b"<html>".to_vec()),
        Mood::Garbage(b"{}".to_vec()),
        Mood::Garbage(b"{\"fname\":\"\"}".to_vec()),
        Mood::Garbage(b"{\"fname\":7}".to_vec()),
        Mood::Garbage(format!("{{\"fname\":\"{}\"}}", "x".repeat(256)).into_bytes()),
        Mood::Garbage(format!("{{\"fname\":\"x\",\"more\":\"{}\"}}", "x".repeat(100_000)).into_bytes()),
    ];
    for (number, mood) in moods.into_iter().enumerate() {
        pili.set_mood(mood.clone());
        shop.record(Side::Client, "a").await.done();
        let started = Instant::now();
        let answer = shop.end(Side::Client).await;
        assert_eq!(answer.ok()["status"], 3, "{mood:?}: {answer:?}");
        assert_eq!(answer.ok()["record_url"], "");
        assert!(started.elapsed() < LIMIT, "{mood:?} took {:?}", started.elapsed());
        assert_eq!(pili.calls(), number + 1, "asked once, and no redirect followed");
        assert_eq!(*shop.demonstrated(Side::Client).await.ok(), Value::Null);
    }
    // Another item begins all the same.
    pili.set_mood(Mood::Status(500));
    shop.record(Side::Client, "a").await.done();
    shop.record(Side::Client, "b").await.done();
    pili.set_mood(Mood::Well);
    assert_eq!(shop.end(Side::Client).await.ok()["status"], 0);
    own.stop().await;
    Ok(())
}

async fn without_a_service_recordings_fail(api: Api) -> Verdict {
    let pili = FakePili::start("hub", ("none", "none")).await;
    let own = api
        .own_server(|config| {
            config.pili.api_url = pili.url();
            config.pili.hub = String::new();
        })
        .await?;
    let shop = Shop::open(&own.api()).await;
    shop.stock(&["a"]).await;
    shop.record(Side::Client, "a").await.done();
    assert_eq!(shop.end(Side::Client).await.ok()["status"], 3);
    assert_eq!(pili.calls(), 0);
    own.stop().await;
    Ok(())
}

async fn recordings_are_deleted(api: Api) -> Verdict {
    for side in SIDES {
        let (shop, other) = (Shop::open(&api).await, Shop::open(&api).await);
        for shop in [&shop, &other] {
            shop.stock(&["a"]).await;
            for _ in 0..3 {
                shop.record(Side::Client, "a").await.done();
                shop.end(Side::Client).await.ok();
            }
        }
        let ids = |records: &[Value]| {
            records.iter().map(|record| record["id"].as_u64().expect("id")).collect::<Vec<_>>()
        };
        let (own, foreign) = (ids(&shop.records(side).await), ids(&other.records(side).await));
        let delete =
            |ids: Value| shop.post(side, "/item/demonstrate/record/delete", json!({"demonstrate_item": ids}));
        let live_id = json!(shop.live_id);
        assert_eq!(*delete(json!([own[0]])).await.ok(), json!({"live_id": live_id}));
        // The iOS SDK keeps ids as text.
        let answer = delete(json!([own[2].to_string(), foreign[0], own[0], foreign[0], u64::MAX])).await;
        assert_eq!(
            *answer.ok(),
            json!({"live_id": live_id, "failure_demon_items": [foreign[0], own[0], u64::MAX]})
        );
        assert_eq!(
            (ids(&shop.records(side).await), ids(&other.records(side).await)),
            (vec![own[1]], foreign.clone())
        );
        assert_eq!(shop.item("a").await["record"], Value::Null, "it showed the last one");
        assert_eq!(other.item("a").await["record"]["id"], foreign[2]);
        for wrong in [
            json!([]),
            json!(7),
            json!(["x"]),
            json!([-1]),
            json!([1.5]),
            json!([null, {}]),
            json!(vec![1; 201]),
        ] {
            delete(wrong).await.bad_in("demonstrate_item");
        }
        shop.post(side, "/item/demonstrate/record/delete", json!({})).await.bad_in("demonstrate_item");
        delete(json!(vec![1; 200])).await.ok();
    }
    Ok(())
}
