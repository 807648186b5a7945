//! A real stream: ffmpeg publishes to nginx-rtmp with a room's push URL, and nginx asks the hooks.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit, Mac};
use rstest::rstest;
use serde_json::{Value, json};
use sha1::Sha1;
use sqlx::Row;

use crate::support::client::Client;
use crate::support::media::{MediaServer, decode, publish};
use crate::support::server::{Backend, ServerProcess, Setup};
use crate::support::wait::{wait_for, wait_until};

const HUB: &str = "hub";

/// How long a second of video may take until it can be played, and a hook until it has its effect.
const LIMIT: Duration = Duration::from_secs(20);

/// A far future, and a time long past, in Unix seconds.
const FUTURE: i64 = 4_000_000_000;
const PAST: i64 = 1_584_522_520;

/// A server with a media server, and an anchor.
struct Studio {
    media: MediaServer,
    anchor: Client,
    server: ServerProcess,
}

impl Studio {
    async fn open(backend: Backend) -> Self {
        let setup = Setup::new(backend).await;
        let media = MediaServer::start(HUB, setup.port()).await;
        let server = setup
            .with(&format!(
                "pili:\n  hub: {HUB}\n  security_type: expiry_sk\n  stream_pattern: live-%s\n  \
                 publish_url: {rtmp}\n  rtmp_play_url: {rtmp}\n  hls_play_url: {hls}",
                rtmp = media.rtmp_url(),
                hls = media.hls_url(),
            ))
            .start()
            .await;
        let anchor = server.client_of("anchor").await;
        Self { media, anchor, server }
    }

    /// A push URL that is signed here, independent of the server's code (signing.md of Pili).
    fn signed(&self, live_id: &str, expire: i64) -> String {
        let path = format!("/{HUB}/live-{live_id}?e={expire}");
        let mut mac = Hmac::<Sha1>::new_from_slice(b"test-sk").unwrap();
        mac.update(path.as_bytes());
        let sign = URL_SAFE.encode(mac.finalize().into_bytes());
        format!("{}{path}&token=test-ak:{sign}", self.media.rtmp_url())
    }

    /// Whether the server counts the room's stream as up; None when it never was published.
    async fn is_up(&self, live_id: &str) -> Option<bool> {
        let sql = sqlx::AssertSqlSafe(format!("SELECT up FROM stream_session WHERE live_id = '{live_id}'"));
        let database = self.server.database();
        if database.schema().is_empty() {
            let row = sqlx::query(sql).fetch_optional(&mut database.sqlite().await).await.unwrap();
            row.map(|row| row.get("up"))
        } else {
            let row = sqlx::query(sql).fetch_optional(&mut database.mysql().await).await.unwrap();
            row.map(|row| row.get("up"))
        }
    }

    async fn assert_refused(&self, push_url: &str, live_id: &str) {
        let said = publish(push_url, 1).await;
        assert!(!said.status.success(), "{push_url} was accepted");
        let files = self.media.files();
        assert!(files.is_empty(), "{push_url} left {files:?}");
        assert_eq!(self.is_up(live_id).await, None, "{push_url}");
    }
}

fn live_id(room: &Value) -> String {
    room["live_id"].as_str().unwrap().to_owned()
}

fn push_url(room: &Value) -> String {
    room["push_url"].as_str().unwrap().to_owned()
}

#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_with_the_push_url_is_played(#[case] backend: Backend) {
    let studio = Studio::open(backend).await;
    let room = studio.anchor.go_live("real").await;
    let live_id = live_id(&room);
    assert_eq!(studio.is_up(&live_id).await, None);

    let url = push_url(&room);
    let encoder = tokio::spawn(async move { publish(&url, 4).await });
    wait_until("the stream is up", LIMIT, async || studio.is_up(&live_id).await == Some(true)).await;
    let said = encoder.await.unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    wait_until("the stream is down", LIMIT, async || studio.is_up(&live_id).await == Some(false)).await;

    let playlist_url = room["hls_url"].as_str().unwrap();
    let segment_url = wait_for("the playlist has a segment", LIMIT, async || {
        let playlist = reqwest::get(playlist_url).await.ok()?.text().await.ok()?;
        let segment = playlist.lines().find(|line| line.ends_with(".ts"))?;
        let (folder, _) = playlist_url.rsplit_once('/')?;
        Some(format!("{folder}/{segment}"))
    })
    .await;
    let segment = reqwest::get(segment_url).await.unwrap().error_for_status().unwrap().bytes().await.unwrap();
    let file = studio.media.folder().join("segment.ts");
    fs::write(&file, segment).unwrap();
    let streams = decode(&file);
    let has = |kind: &str, codec: &str| {
        streams.iter().any(|(k, c, frames)| (k == kind, c == codec, *frames > 5) == (true, true, true))
    };
    assert!(has("video", "h264") && has("audio", "aac"), "{streams:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn push_urls_that_are_forged_expired_or_of_no_live_room_are_refused() {
    let studio = Studio::open(Backend::Embedded).await;
    let room = studio.anchor.go_live("good").await;
    let (good_id, url) = (live_id(&room), push_url(&room));

    let (unsigned, _) = url.split_once('?').unwrap();
    studio.assert_refused(unsigned, &good_id).await;
    let ended =
        studio.anchor.post("/client/live/room/instance", json!({"title": "of another room"})).await.data();
    let (_, its_arguments) = url.split_once('?').unwrap();
    let stolen = format!("{}?{its_arguments}", push_url(&ended).split_once('?').unwrap().0);
    studio.assert_refused(&stolen, &live_id(&ended)).await;
    let (before, token) = url.rsplit_once(':').unwrap();
    let changed = if token.starts_with('A') { "B" } else { "A" };
    studio.assert_refused(&format!("{before}:{changed}{}", &token[1..]), &good_id).await;
    studio.assert_refused(&studio.signed(&good_id, PAST), &good_id).await;
    studio.assert_refused(&studio.signed("1234567890123456789", FUTURE), "1234567890123456789").await;

    let ended = studio.anchor.go_live("soon over").await;
    studio.anchor.delete(&format!("/client/live/room/{}", live_id(&ended))).await.data();
    studio.assert_refused(&push_url(&ended), &live_id(&ended)).await;
    let deleted = studio.anchor.post("/client/live/room/instance", json!({"title": "deleted"})).await.data();
    studio.anchor.delete(&format!("/client/live/room/instance/{}", live_id(&deleted))).await.data();
    studio.assert_refused(&push_url(&deleted), &live_id(&deleted)).await;

    // It was not for another reason: the same signature with a later expiry is good.
    let said = publish(&studio.signed(&good_id, FUTURE), 2).await;
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    wait_until("the stream was up and is down", LIMIT, async || studio.is_up(&good_id).await == Some(false))
        .await;
    let files = studio.media.files();
    assert!(files.contains(&format!("live-{good_id}.m3u8")), "{files:?}");
}

/// nginx-rtmp asks for the second, refuses it, and tells of its end.
#[rstest]
#[case::embedded(Backend::Embedded)]
#[case::redis(Backend::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_encoder_that_is_refused_does_not_end_the_first(#[case] backend: Backend) {
    let studio = Studio::open(backend).await;
    let room = studio.anchor.go_live("twice").await;
    let (live_id, url) = (live_id(&room), push_url(&room));
    let first = tokio::spawn({
        let url = url.clone();
        async move { publish(&url, 10).await }
    });
    wait_until("the first is up", LIMIT, async || studio.is_up(&live_id).await == Some(true)).await;
    let second = publish(&url, 1).await;
    assert!(!second.status.success(), "nginx takes one only");
    let ends = "/hooks/publish_done";
    wait_until("its end is told", LIMIT, async || studio.server.log().contains(ends)).await;
    assert_eq!(studio.is_up(&live_id).await, Some(true));
    assert!(!first.is_finished(), "the first still publishes");
    assert!(first.await.unwrap().status.success());
    wait_until("the stream is down", LIMIT, async || studio.is_up(&live_id).await == Some(false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_published_while_the_server_is_down() {
    let mut studio = Studio::open(Backend::Embedded).await;
    let room = studio.anchor.go_live("nobody to ask").await;
    studio.server.kill();
    let said = publish(&push_url(&room), 1).await;
    assert!(!said.status.success());
    assert!(studio.media.files().is_empty());
}
