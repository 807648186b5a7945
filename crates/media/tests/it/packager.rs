//! HLS over a clock of the tests: playlists, blocking reloads, requests for the future.

use std::sync::Arc;
use std::time::Duration;

use media::hls::{HlsError, Packager, PlaylistRequest, Service, ServiceSettings};
use media::hub::{DownReason, Hub, HubLimits, Protocol, Silent};
use tokio::time::sleep;

use crate::support::encoder::Encoder;
use crate::support::names;

fn package() -> (Hub, Encoder) {
    let hub = Hub::new(HubLimits::default(), Arc::new(Silent));
    let encoder = Encoder::new(&hub);
    (hub, encoder)
}

async fn start(hub: &Hub, encoder: &mut Encoder) -> Packager {
    encoder.encode(1, 1).await;
    Packager::spawn(hub.follow("live/a", Protocol::Hls).unwrap(), hub.memory(), "x".to_owned())
}

async fn text(packager: &Packager) -> String {
    packager.playlist(&PlaylistRequest::default()).await.unwrap().text
}

#[tokio::test(start_paused = true)]
async fn a_steady_stream_makes_steady_parts_and_segments() {
    let (hub, mut encoder) = package();
    let packager = start(&hub, &mut encoder).await;
    encoder.encode(25 * 20, 25).await;
    let text = text(&packager).await;
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        "#EXTM3U",
        "#EXT-X-VERSION:9",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.050",
        "#EXT-X-PART-INF:PART-TARGET=0.350",
        "#EXT-X-MEDIA-SEQUENCE:4",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0",
        "#EXT-X-MAP:URI=\"init-x-0.mp4\"",
    ];
    assert_eq!(lines[..8], expected, "{text}");
    assert_eq!(text.matches("#EXTINF:2.000,").count(), 6, "twelve seconds are kept: {text}");
    assert_eq!(text.matches("#EXT-X-PROGRAM-DATE-TIME").count(), 6);
    // Parts are at most the target; each but the last of a segment at least 85 % of it.
    let mut durations = Vec::new();
    for line in &lines {
        if let Some(rest) = line.strip_prefix("#EXT-X-PART:DURATION=") {
            durations.push(rest.split(',').next().unwrap().parse::<f64>().unwrap());
        } else if line.starts_with("#EXTINF") {
            durations.pop();
        }
    }
    assert!(durations.len() >= 15 && durations.iter().all(|part| (0.2975..=0.35).contains(part)), "{text}");
    assert!(lines.last().unwrap().starts_with("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"part-x-"), "{text}");
    // All that is named is there, and a segment is its parts.
    for name in names(&text) {
        assert!(!packager.resource(&name).await.unwrap().is_empty(), "{name}");
    }
    // What was in the playlist until lately is there too.
    assert!(packager.resource("seg-x-3.m4s").await.is_ok());
    assert_eq!(packager.resource("seg-x-99.m4s").await, Err(HlsError::NotFound));
    let segment = packager.resource("seg-x-8.m4s").await.unwrap();
    let first = packager.resource("part-x-8-0.m4s").await.unwrap();
    assert!(segment.pieces.concat().starts_with(&first.pieces.concat()));
    assert!(hub.stats().memory > segment.len());
}

#[tokio::test(start_paused = true)]
async fn a_reload_blocks_until_its_part_is_there() {
    let (hub, mut encoder) = package();
    let packager = Arc::new(start(&hub, &mut encoder).await);
    encoder.encode(75, 25).await;
    let at = packager.position();
    let wanted =
        PlaylistRequest { segment: Some(at.segment), part: Some(at.parts + 1), ..Default::default() };
    let (waiting, hinted) = (Arc::clone(&packager), Arc::clone(&packager));
    let reload = tokio::spawn(async move { waiting.playlist(&wanted).await });
    let hint = format!("part-x-{}-{}.m4s", at.segment, at.parts);
    let hint = tokio::spawn(async move { hinted.resource(&hint).await });
    sleep(Duration::from_millis(1)).await;
    assert!(!reload.is_finished() && !hint.is_finished());
    encoder.encode(20, 25).await;
    assert!(!hint.await.unwrap().unwrap().is_empty());
    let reloaded = reload.await.unwrap().unwrap();
    assert!(
        reloaded.text.contains(&format!("part-x-{}-{}.m4s", at.segment, at.parts + 1)),
        "{}",
        reloaded.text
    );
}

#[tokio::test(start_paused = true)]
async fn the_far_future_is_refused_and_the_near_one_is_waited_for_a_while() {
    let (hub, mut encoder) = package();
    let packager = start(&hub, &mut encoder).await;
    encoder.encode(75, 25).await;
    let at = packager.position();
    let ask = |segment, part| PlaylistRequest { segment: Some(segment), part, ..Default::default() };
    for far in [ask(at.segment + 2, None), ask(u64::MAX, Some(0)), ask(at.segment, Some(at.parts + 10))] {
        assert_eq!(packager.playlist(&far).await.unwrap_err(), HlsError::TooFar);
    }
    let without_segment = PlaylistRequest { part: Some(1), ..Default::default() };
    assert_eq!(packager.playlist(&without_segment).await.unwrap_err(), HlsError::TooFar);
    assert_eq!(packager.resource("part-x-99-0.m4s").await.unwrap_err(), HlsError::NotFound);
    // The encoder stands still.
    assert_eq!(packager.playlist(&ask(at.segment + 1, Some(0))).await.unwrap_err(), HlsError::Timeout);
    let past = packager.playlist(&ask(at.segment - 1, None)).await.unwrap();
    assert!(past.text.contains("#EXTM3U"));
}

#[tokio::test(start_paused = true)]
async fn a_long_group_is_cut_at_ten_seconds_and_says_so() {
    let (hub, mut encoder) = package();
    let packager = start(&hub, &mut encoder).await;
    encoder.encode(25 * 25, 25 * 60).await;
    let text = text(&packager).await;
    assert!(!text.contains("#EXT-X-INDEPENDENT-SEGMENTS"), "{text}");
    let durations =
        text.lines().filter_map(|line| line.strip_prefix("#EXTINF:")?.strip_suffix(',')?.parse().ok());
    let durations: Vec<f64> = durations.collect();
    assert!(
        durations.len() == 2 && durations.iter().all(|duration| (9.9..10.5).contains(duration)),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_encoder_that_comes_back_is_a_discontinuity() {
    let (hub, mut encoder) = package();
    let packager = start(&hub, &mut encoder).await;
    encoder.encode(75, 25).await;
    encoder.publisher.finish(DownReason::Disconnected);
    sleep(Duration::from_secs(10)).await;
    let mut encoder = Encoder::new(&hub);
    encoder.encode(75, 25).await;
    let text = text(&packager).await;
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{text}");
    assert_eq!(text.matches("#EXT-X-MAP").count(), 2, "{text}");
    // The time that nobody sent is not a picture that stands.
    assert!(text.lines().filter(|line| line.starts_with("#EXTINF")).all(|line| line < "#EXTINF:3"), "{text}");
    hub.end("live/a", "over");
    sleep(Duration::from_millis(1)).await;
    let last = packager.playlist(&PlaylistRequest::default()).await.unwrap();
    assert!(
        last.ended && last.text.ends_with("#EXT-X-ENDLIST\n") && !last.text.contains("PRELOAD"),
        "{}",
        last.text
    );
    drop(packager);
    drop(encoder);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(hub.stats().memory, 0);
}

#[tokio::test(start_paused = true)]
async fn addresses_carry_what_the_caller_wants() {
    let (hub, mut encoder) = package();
    let packager = start(&hub, &mut encoder).await;
    encoder.encode(75, 25).await;
    let request = PlaylistRequest { prefix: "room/", suffix: "?expire=1&token=x", ..Default::default() };
    let playlist = packager.playlist(&request).await.unwrap();
    assert!(names(&playlist.text).iter().all(|name| name.starts_with("room/") && name.ends_with("&token=x")));
    assert!(playlist.etag.starts_with("\"x-"));
}

#[tokio::test(start_paused = true)]
async fn packagers_live_while_somebody_asks() {
    let (hub, mut encoder) = package();
    let service = Service::new(hub.clone(), ServiceSettings::default());
    assert!(service.get("live/a").is_none(), "not up yet");
    encoder.encode(75, 25).await;
    let packager = service.get("live/a").unwrap();
    assert!(Arc::ptr_eq(&packager, &service.get("live/a").unwrap()));
    text(&packager).await;
    drop(packager);
    sleep(Duration::from_secs(59)).await;
    assert_eq!(service.len(), 1);
    sleep(Duration::from_secs(2)).await;
    assert!(service.is_empty());
}
