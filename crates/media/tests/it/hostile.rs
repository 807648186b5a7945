//! Strangers, stalled encoders and viewers that do not read: they end, and others go on.

use std::net::SocketAddr;
use std::time::Duration;

use media::hub::HubLimits;
use media::rtmp::ServerLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::client::{Client, message};
use crate::support::*;

const AUDIO: u8 = 8;
const VIDEO: u8 = 9;

fn hasty() -> ServerLimits {
    let short = Duration::from_millis(500);
    ServerLimits { negotiation: short, silence: short, stall: short, ..ServerLimits::default() }
}

/// The connection is closed by the server.
async fn closed(mut socket: TcpStream) {
    let mut rest = [0; 4096];
    let end = async { while socket.read(&mut rest).await.is_ok_and(|count| count > 0) {} };
    timeout(PATIENCE, end).await.expect("closed");
}

async fn publisher(address: SocketAddr, name: &str) -> Client {
    let mut client = Client::connect(address).await;
    assert_eq!(client.ask("publish", "live", name).await, "NetStream.Publish.Start");
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_handshake_and_other_protocols_end() {
    let node = Node::with(HubLimits::default(), hasty()).await;
    let starts: [&[u8]; 5] = [b"", b"\x03", &[3; 1000], &[3; 1 + 1536], b"GET / HTTP/1.1\r\n\r\n"];
    for start in starts {
        let mut socket = TcpStream::connect(node.address).await.unwrap();
        socket.write_all(start).await.unwrap();
        closed(socket).await;
    }
    // A trickle does not move the deadline.
    let mut socket = TcpStream::connect(node.address).await.unwrap();
    let mut byte = [0];
    let trickle = async {
        while socket.write_all(&[3]).await.is_ok() {
            if timeout(Duration::from_millis(50), socket.read(&mut byte))
                .await
                .is_ok_and(|read| read.is_ok_and(|n| n == 0))
            {
                break;
            }
        }
    };
    timeout(PATIENCE, trickle).await.expect("closed");
    wait("no connection is left", || node.server.stats().connections == 0).await;
    assert!(node.server.stats().refusals["deadline"] >= 5);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_half_open_connections_take_sixteen_places() {
    let limits = ServerLimits { negotiation: PATIENCE, ..ServerLimits::default() };
    let node = Node::with(HubLimits::default(), limits).await;
    let mut sockets = Vec::new();
    for _ in 0..1000 {
        sockets.push(TcpStream::connect(node.address).await.unwrap());
    }
    wait("984 are turned away", || {
        node.server.stats().refusals.get("too_many_from_address").is_some_and(|count| *count >= 984)
    })
    .await;
    assert_eq!(node.server.stats().connections, 16);
    drop(sockets);
    wait("they are gone", || node.server.stats().connections == 0).await;
    // Who was accepted is not counted for the address.
    let mut publishers = Vec::new();
    for number in 0..20 {
        publishers.push(publisher(node.address, &format!("room-{number}")).await);
    }
    assert_eq!(node.hub.stats().publishers, 20);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_stalls_is_down_and_its_viewers_wait() {
    let node = Node::with(HubLimits::default(), hasty()).await;
    let mut client = publisher(node.address, "room").await;
    client.send(AUDIO, 0, &[0xaf, 1, 1, 2]).await.unwrap();
    node.up("live/room").await;
    let mut viewer = node.watch("live/room");
    wait("it is down", || !node.hub.info("live/room").unwrap().up).await;
    closed(client.socket).await;
    let mut client = publisher(node.address, "room").await;
    client.send(AUDIO, 70, &[0xaf, 1, 9, 9]).await.unwrap();
    let back = async { while viewer.next().await.unwrap().body()[..] != [0xaf, 1, 9, 9] {} };
    timeout(PATIENCE, back).await.unwrap();
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_publisher_ends_alone() {
    let node = Node::start().await;
    let mut good = publisher(node.address, "good").await;
    let mut bad = publisher(node.address, "bad").await;
    // A chunk size of 2^31.
    bad.send(1, 0, &(1u32 << 31).to_be_bytes()).await.unwrap();
    closed(bad.socket).await;
    let mut deep = publisher(node.address, "deep").await;
    // AMF that nests 10,000 deep.
    deep.send(20, 0, &[10, 0, 0, 0, 1].repeat(10_000)).await.unwrap();
    closed(deep.socket).await;
    let mut garbage = publisher(node.address, "garbage").await;
    let _ = garbage.socket.write_all(&[0xff; 100_000]).await;
    closed(garbage.socket).await;
    good.send(AUDIO, 0, &[0xaf, 1, 1, 2]).await.unwrap();
    node.up("live/good").await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_high_a_bitrate_is_refused_with_a_word() {
    let node =
        Node::with(HubLimits { max_bitrate_kbps: 100, ..HubLimits::default() }, ServerLimits::default())
            .await;
    let mut client = publisher(node.address, "room").await;
    for frame in 0..20u32 {
        if client.send(VIDEO, frame * 40, &[0x17; 20_000]).await.is_err() {
            break;
        }
    }
    let code = client.status().await;
    assert_eq!(code.as_deref(), Some("NetStream.Publish.BadName"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_never_reads_is_closed_and_others_notice_nothing() {
    let limits = HubLimits { max_bitrate_kbps: u64::MAX, ..HubLimits::default() };
    let node = Node::with(limits, hasty()).await;
    let mut encoder = publisher(node.address, "room").await;
    encoder.send(VIDEO, 0, &[&[0x17, 1, 0, 0, 0][..], &[0; 50_000]].concat()).await.unwrap();
    node.up("live/room").await;
    let mut deaf = Client::connect(node.address).await;
    assert_eq!(deaf.ask("play", "live", "room").await, "NetStream.Play.Reset");
    let mut viewer = node.watch("live/room");
    let mut frames = 0u32;
    let mut timestamp = 40;
    // As much as the sockets between take, and then some.
    while node.hub.stats().viewers[0] > 0 {
        encoder.send(VIDEO, timestamp, &[&[0x17, 1, 0, 0, 0][..], &[0; 50_000]].concat()).await.unwrap();
        timestamp += 40;
        let next = timeout(PATIENCE, viewer.next()).await.unwrap().unwrap();
        frames += u32::from(next.is_keyframe());
        if timestamp > 40 * 300 {
            sleep(Duration::from_millis(20)).await;
        }
        assert!(timestamp < 40 * 5_000, "the deaf one is still there");
    }
    assert!(frames > 10 && viewer.skips() == 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_hears_of_the_end() {
    let node = Node::start().await;
    let mut encoder = publisher(node.address, "room").await;
    encoder.send(AUDIO, 0, &[0xaf, 1, 1, 2]).await.unwrap();
    node.up("live/room").await;
    let mut player = Client::connect(node.address).await;
    assert_eq!(player.ask("play", "live", "room").await, "NetStream.Play.Reset");
    assert_eq!(player.status().await.as_deref(), Some("NetStream.Play.Start"));
    let sound = loop {
        let message = player.message().await.unwrap();
        if message.kind == AUDIO {
            break message;
        }
    };
    assert_eq!(&sound.body[..], &[0xaf, 1, 1, 2]);
    node.hub.end("live/room", "over");
    assert_eq!(player.status().await.as_deref(), Some("NetStream.Play.UnpublishNotify"));
    assert_eq!(player.status().await.as_deref(), Some("NetStream.Play.Stop"));
    assert_eq!(player.status().await, None);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_ends_everybody() {
    let node = Node::start().await;
    let encoder = publisher(node.address, "room").await;
    let stranger = TcpStream::connect(node.address).await.unwrap();
    wait("both are there", || node.server.stats().connections == 2).await;
    assert_eq!(message(AUDIO, 0, &[]).len(), 12);
    timeout(PATIENCE, node.stop()).await.unwrap();
    closed(stranger).await;
    closed(encoder.socket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_without_end_are_bounded_and_do_not_stop_others() {
    let node = Node::start().await;
    let mut good = publisher(node.address, "good").await;
    // Chunks of 1 MiB, of messages of 8 MiB that never end, on one chunk stream after the other.
    let mut endless = publisher(node.address, "endless").await;
    endless.send(1, 0, &(1u32 << 20).to_be_bytes()).await.unwrap();
    let mut sent = 0;
    for chunk_stream in (5..20u8).cycle() {
        let header = [chunk_stream, 0, 0, 0, 0x80, 0, 0, VIDEO, 1, 0, 0, 0];
        let rest = [0xc0 | chunk_stream];
        let head: &[u8] = if sent < 15 { &header } else { &rest };
        let chunk = [head, &[0; 1 << 20]].concat();
        if endless.socket.write_all(&chunk).await.is_err() {
            break;
        }
        sent += 1;
        // 16 MiB are the most that is held; what comes after the goodbye is thrown away.
        if node.hub.stats().publishers == 1 {
            break;
        }
        assert!(sent < 10_000, "still heard");
    }
    assert!(sent >= 15, "{sent}");
    closed(endless.socket).await;
    wait("its end is counted", || node.hub.stats().publishers == 1).await;
    good.send(AUDIO, 0, &[0xaf, 1, 1, 2]).await.unwrap();
    node.up("live/good").await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_never_asks_holds_no_frames() {
    let node = Node::start().await;
    let mut encoder = publisher(node.address, "room").await;
    encoder.send(VIDEO, 0, &[&[0x17, 1, 0, 0, 0][..], &[0; 50_000]].concat()).await.unwrap();
    node.up("live/room").await;
    let viewers: Vec<_> = (0..100).map(|_| node.watch("live/room")).collect();
    for frame in 1..100u32 {
        encoder.send(VIDEO, frame * 40, &[&[0x17, 1, 0, 0, 0][..], &[0; 50_000]].concat()).await.unwrap();
    }
    wait("all have come", || node.hub.stats().bytes_in >= 100 * 50_000).await;
    // One window for all, of two seconds by the clock: here of all that came.
    let held = node.hub.stats().memory;
    assert!(held <= 100 * 51_000, "{held}");
    drop(viewers);
    node.stop().await;
}
