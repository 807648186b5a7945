//! The demo room's player with a real stream: ffmpeg to nginx-rtmp, and from there to the browser.

use super::{browse, server, url};
use crate::support::media::{MediaServer, publish};
use crate::support::server::{Backend, Setup};

const HUB: &str = "live";

/// How long the stream lasts; the browser has seen it before, or the test fails.
const SECONDS: u32 = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hls_is_played() {
    let setup = Setup::new(Backend::Embedded).await;
    let (url, media) = (url(&setup), MediaServer::start(HUB, setup.port()).await);
    let pili = format!(
        "pili: {{hub: {HUB}, security_type: expiry_sk, publish_url: '{}', hls_play_url: '{}'}}",
        media.rtmp_url(),
        media.hls_url()
    );
    let server = server(setup.with(&pili)).await;
    let room = server.client_of("anchor").await.go_live("A stream by HLS").await;
    let push_url = room["push_url"].as_str().unwrap().to_owned();
    let encoder = tokio::spawn(async move { publish(&push_url, SECONDS).await });
    browse(
        "stream",
        &url,
        &[("LIVELOOM_ROOM", room["live_id"].as_str().unwrap()), ("LIVELOOM_MEDIA", &media.hls_url())],
    )
    .await;
    encoder.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flv_over_http_is_played() {
    let setup = Setup::new(Backend::Embedded).await;
    let (url, media) = (url(&setup), MediaServer::start(HUB, setup.port()).await);
    let pili = format!(
        "pili: {{hub: {HUB}, security_type: expiry_sk, publish_url: '{}', flv_play_url: '{}'}}",
        media.rtmp_url(),
        media.hls_url()
    );
    let server = server(setup.with(&pili)).await;
    let room = server.client_of("anchor").await.go_live("A stream by FLV").await;
    let live_id = room["live_id"].as_str().unwrap();
    // nginx-rtmp writes no FLV: what it would send is made beforehand.
    media.put_flv(live_id, SECONDS);
    browse("stream", &url, &[("LIVELOOM_ROOM", live_id), ("LIVELOOM_MEDIA", &media.hls_url())]).await;
}
