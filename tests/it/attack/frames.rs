//! WebSocket frames that announce a tebibyte and stream, and messages whose fragments never end, from anybody.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::tally::Tally;
use super::target::Target;

const PATHS: [&str; 2] = ["/realtime", "/barrage-videos"];
const TEBIBYTE: u64 = 1 << 40;
const CHUNK: usize = 64 * 1024;
/// More than sockets hold on both sides: who has taken that much has read it.
const SWALLOWED: usize = 64 << 20;
/// For how long the server may take nothing in.
const STALL: Duration = Duration::from_secs(10);
/// The first byte of a frame: a whole text, a whole binary, a ping; and of fragments of a text.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const BEGIN: u8 = 0x01;
const CONTINUE: u8 = 0x00;

/// The server ends each connection, or does not take it.
pub const EXPECTED: &[&str] = &["ended", "429", "503", "over"];

/// So many at once, again and again.
pub async fn attack(target: &Target, sockets: usize) -> Tally {
    let flows = (0..sockets).map(|number| {
        let target = target.clone();
        tokio::spawn(async move {
            let mut tally = Tally::default();
            for turn in number.. {
                if target.is_over() {
                    break;
                }
                let Some(mut stream) = target.connect().await else { continue };
                let came = target.unless_over(flood(&mut stream, turn)).await;
                tally.add(came.unwrap_or_else(|| "over".to_owned()));
            }
            tally
        })
    });
    Tally::sum(join_all(flows).await.into_iter().map(Result::unwrap))
}

/// Sends without end; what came of it.
async fn flood(stream: &mut TcpStream, turn: usize) -> String {
    let path = PATHS[turn % PATHS.len()];
    let handshake = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    if stream.write_all(handshake.as_bytes()).await.is_err() {
        return "ended".to_owned();
    }
    match Target::status(stream).await {
        Some(101) => {}
        Some(status) => return status.to_string(),
        None => return "ended".to_owned(),
    }
    let kinds = [Some(TEXT), Some(BINARY), Some(PING), None];
    let (first, following) = match kinds[turn / PATHS.len() % kinds.len()] {
        Some(first) => (header(first, TEBIBYTE), vec![0; CHUNK]),
        None => (fragment(BEGIN), fragment(CONTINUE)),
    };
    let mut sent = 0;
    let mut piece = &first;
    while sent < SWALLOWED {
        match tokio::time::timeout(STALL, stream.write_all(piece)).await {
            Ok(Ok(())) => sent += piece.len(),
            Ok(Err(_)) => return "ended".to_owned(),
            Err(_) => return "stalled".to_owned(),
        }
        piece = &following;
    }
    "swallowed".to_owned()
}

/// The header of a frame of a client, whose mask changes nothing.
fn header(first: u8, length: u64) -> Vec<u8> {
    let mut header = vec![first, 0x80 | 127];
    header.extend(length.to_be_bytes());
    header.extend([0; 4]);
    header
}

/// A small part of a message that goes on.
fn fragment(first: u8) -> Vec<u8> {
    const LENGTH: u16 = 8 * 1024;
    let mut frame = vec![first, 0x80 | 126];
    frame.extend(LENGTH.to_be_bytes());
    frame.extend([0; 4]);
    frame.resize(frame.len() + usize::from(LENGTH), b' ');
    frame
}
