//! Frames that no library would send: those that announce too much, and those that carry nothing.

use std::time::Duration;

use futures_util::future::join_all;

use super::bed::Bed;
use crate::connections::wire::Wire;
use crate::support::memory::memory_of;
use crate::support::server::Backend;
use crate::support::wait::wait_until;

/// The mesh API as in CONNMIX, without credentials.
const OPEN: &str = "realtime: {mesh_auth: off}";
const ENDPOINTS: [&str; 3] = ["/realtime", "/barrage-videos", "/ws/v1"];
const GIB: u64 = 1024 * 1024 * 1024;
const MIB: usize = 1024 * 1024;

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
const FINAL: u8 = 0x80;

/// The header of a frame that announces `length` bytes; the mask is zeros, and so the payload is as it is.
fn header(first: u8, length: u64) -> Vec<u8> {
    let mut header = vec![first];
    match length {
        0..=125 => header.push(0x80 | u8::try_from(length).unwrap()),
        126..=0xffff => {
            header.push(0x80 | 126);
            header.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            header.push(0x80 | 127);
            header.extend_from_slice(&length.to_be_bytes());
        }
    }
    header.extend_from_slice(&[0; 4]);
    header
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, u64::try_from(payload.len()).unwrap());
    frame.extend_from_slice(payload);
    frame
}

/// A WebSocket at an endpoint; `query` begins with `?`.
async fn open(bed: &Bed, endpoint: &str, query: &str) -> Wire {
    let mut wire = Wire::open(bed.setup().port()).await;
    let asked = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    wire.send(format!("GET {endpoint}{query} HTTP/1.1\r\nHost: x\r\n{asked}\r\n")).await;
    assert_eq!(wire.answer().await.expect("an answer").status, 101);
    wire
}

/// The code of the close frame; other frames before it are read.
async fn close_code(wire: &mut Wire) -> Option<u16> {
    loop {
        let head = wire.bytes(2).await?;
        let length = match head[1] {
            126 => {
                let bytes = wire.bytes(2).await?;
                usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))
            }
            length => usize::from(length),
        };
        let payload = wire.bytes(length).await?;
        if head[0] & 0x0f == CLOSE {
            return Some(u16::from_be_bytes([payload[0], payload[1]]));
        }
    }
}

#[tokio::test]
async fn a_frame_that_announces_too_much_closes_at_once() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    let user = bed.client.log_in("u").await;
    let with_token = format!("?token={}", user.token());
    let some = vec![b'x'; 64 * 1024];
    for (endpoint, query) in
        ENDPOINTS.map(|endpoint| (endpoint, "")).into_iter().chain([("/realtime", &*with_token)])
    {
        let limit: u64 = if endpoint == "/ws/v1" { 7 * 64 * 1024 } else { 16 * 1024 };
        let mut begun = frame(TEXT, b"{");
        begun.extend_from_slice(&header(0, GIB));
        let parts = usize::try_from(limit).unwrap() / 1000;
        let mut many = frame(TEXT, &[b'1'; 1000]);
        many.extend(frame(0, &[b'1'; 1000]).repeat(parts - 1));
        many.extend_from_slice(&header(0, limit - u64::try_from(parts * 1000).unwrap() + 1));
        let announced = [
            ("a GiB", header(FINAL | TEXT, GIB)),
            ("the most there is", header(FINAL | TEXT, u64::MAX)),
            ("a byte too much", header(FINAL | TEXT, limit + 1)),
            ("a part of a GiB", header(TEXT, GIB)),
            ("a later part of a GiB", begun),
            ("parts that are too much together", many),
            ("a ping of 126 bytes", header(FINAL | PING, 126)),
            ("a pong of a GiB", header(FINAL | PONG, GIB)),
            ("a close of 126 bytes", header(FINAL | CLOSE, 126)),
        ];
        for (what, header) in announced {
            let mut wire = open(&bed, endpoint, query).await;
            wire.send(&header).await;
            wire.send(&some).await;
            assert_eq!(close_code(&mut wire).await, Some(1009), "{endpoint}: {what}");
            assert_eq!(wire.end().await, b"", "{endpoint}: {what}");
        }
    }
    wait_until("all are counted", Duration::from_secs(30), async || {
        bed.metric(r#"liveloom_realtime_closed_total{code="1009"}"#).await == 36
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_announced_costs_no_memory() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    let before = memory_of(bed.server.pid());
    let much = vec![b'x'; 32 * MIB];
    join_all((0..8).map(async |number| {
        let mut wire = open(&bed, ENDPOINTS[number % 3], "").await;
        wire.send(header(FINAL | TEXT, 1 << 40)).await;
        let taken = wire.send_what_is_taken(&much).await;
        // What sockets hold is less: the server does not go on reading for whoever streams.
        assert!(taken < much.len(), "all of it was read");
    }))
    .await;
    let grown = memory_of(bed.server.pid()).peak.saturating_sub(before.resident);
    assert!(grown < 64 * MIB, "{} MiB more", grown / MIB);
}

#[tokio::test]
async fn a_message_as_long_as_it_may_be_is_taken_in_any_pieces() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    let request = br#"{"op":"id"}"#;
    let mut message = vec![b' '; 16 * 1024 - request.len()];
    message.extend_from_slice(request);
    for pieces in [1, 2, 16] {
        let mut wire = open(&bed, "/barrage-videos", "").await;
        let size = message.len() / pieces;
        for (number, part) in message.chunks(size).enumerate() {
            let opcode = if number == 0 { TEXT } else { 0 };
            let last = if (number + 1) * size == message.len() { FINAL } else { 0 };
            wire.send(frame(last | opcode, part)).await;
            // Control frames may stand between the parts.
            wire.send(frame(FINAL | PONG, b"")).await;
        }
        let head = wire.bytes(2).await.expect("an answer");
        let answer = wire.bytes(usize::from(head[1])).await.expect("an answer");
        assert!(answer.starts_with(br#"{"result":true,"client_id""#), "in {pieces} pieces");
    }
}

#[tokio::test]
async fn who_floods_with_empty_frames_is_closed() {
    let bed = Bed::start(Backend::Embedded, OPEN).await;
    for endpoint in ENDPOINTS {
        for (what, flood) in [
            ("pings", frame(FINAL | PING, b"x").repeat(1000)),
            ("pongs", frame(FINAL | PONG, b"").repeat(1000)),
            ("empty parts", [frame(TEXT, b""), frame(0, b"").repeat(1000)].concat()),
        ] {
            let mut wire = open(&bed, endpoint, "").await;
            wire.send(flood).await;
            assert_eq!(close_code(&mut wire).await, Some(3503), "{endpoint}: {what}");
        }
        // So many are none.
        let mut wire = open(&bed, endpoint, "").await;
        wire.send(frame(FINAL | PING, b"x").repeat(50)).await;
        let pong = [0x80 | PONG, 1, b'x'];
        assert_eq!(wire.bytes(150).await.as_deref(), Some(&*pong.repeat(50)), "{endpoint}");
    }
}
