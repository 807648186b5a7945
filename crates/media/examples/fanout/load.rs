//! Encoders and viewers, as another process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use media::amf::{Value, encode_all};
use media::rtmp::ChunkWriter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::interval;

const FPS: u32 = 30;
/// A keyframe each two seconds.
const GOP: u32 = 60;
/// Pictures of 4 Mbit/s and of 0.9, beside 128 kbit/s of sound.
const PICTURE: usize = 16_600;
const SMALL_PICTURE: usize = 3_700;
const SOUND: usize = 500;
/// What servers use as well, so that a frame is one chunk.
const CHUNK: usize = 60_000;
const COMMAND: u8 = 20;
const AUDIO: u8 = 8;
const VIDEO: u8 = 9;

/// Bytes that all viewers got, and how long each waited for its first keyframe.
#[derive(Default)]
struct Seen {
    bytes: AtomicU64,
    waits: Mutex<Vec<Duration>>,
}

/// `publish ADDRESS STREAMS`, `watch ADDRESS VIEWERS STREAMS` `play` or `strangers` with the same, until the input ends.
pub async fn run(arguments: &[String]) {
    let (what, address) = (arguments[0].as_str(), arguments[1].clone());
    let count: u64 = arguments[2].parse().unwrap();
    let seen = Arc::new(Seen::default());
    let start = Instant::now();
    for number in 0..count {
        if what == "publish" {
            let size = if count == 1 { PICTURE } else { SMALL_PICTURE };
            tokio::spawn(publish(address.clone(), format!("room-{number}"), size));
            continue;
        }
        let name = format!("room-{}", number % arguments[3].parse::<u64>().unwrap());
        // One after the other: so many would not come in the same instant.
        let socket = match what {
            "watch" => watch(&address, &name, &seen).await,
            "strangers" => hold(&address).await,
            _ => ask(&address, "play", &name).await,
        };
        tokio::spawn(drink(socket, Arc::clone(&seen)));
    }
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await.unwrap().unwrap();
    let megabytes = seen.bytes.load(Ordering::Relaxed) / 1_000_000;
    println!("received: {megabytes} MB, in {:.1?}", start.elapsed());
    let mut waits = std::mem::take(&mut *seen.waits.lock().unwrap());
    waits.sort();
    if let (Some(middle), Some(last)) = (waits.get(waits.len() / 2), waits.last()) {
        println!("first keyframe on the socket: median {middle:.1?}, at most {last:.1?}");
    }
}

/// Asks for FLV, and waits for the first keyframe.
async fn watch(address: &str, name: &str, seen: &Seen) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let start = Instant::now();
    let request = format!("GET /live/{name}.flv HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut input = BytesMut::new();
    // Codec and packet type of an H.264 keyframe, and what no header has before it.
    while !input.windows(5).any(|bytes| bytes == [0x17, 1, 0, 0, 0]) {
        assert!(socket.read_buf(&mut input).await.unwrap() > 0, "{:?}", input);
    }
    seen.waits.lock().unwrap().push(start.elapsed());
    socket
}

async fn drink(mut socket: TcpStream, seen: Arc<Seen>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = socket.read(&mut buffer).await {
        seen.bytes.fetch_add(count as u64, Ordering::Relaxed);
    }
}

async fn publish(address: String, name: String, size: usize) {
    let mut socket = ask(&address, "publish", &name).await;
    // Answers are not read again; they are few.
    let mut writer = ChunkWriter::new();
    let mut out = BytesMut::new();
    writer.write(&mut out, 2, 1, 0, 0, &(CHUNK as u32).to_be_bytes());
    writer.set_chunk_size(CHUNK);
    let (sound, mut picture) = (Bytes::from([&[0xaf, 1][..], &[0; SOUND]].concat()), vec![0; size]);
    let mut beat = interval(Duration::from_micros(1_000_000 / u64::from(FPS)));
    for frame in 0u32.. {
        beat.tick().await;
        let timestamp = frame * 1000 / FPS;
        picture[..2].copy_from_slice(&[if frame.is_multiple_of(GOP) { 0x17 } else { 0x27 }, 1]);
        writer.write(&mut out, 6, VIDEO, timestamp, 1, &picture);
        writer.write(&mut out, 4, AUDIO, timestamp, 1, &sound);
        if socket.write_all(&out).await.is_err() {
            return;
        }
        out.clear();
    }
}

/// A stranger who makes the server hold as much as it will: messages of 64 KiB on as many chunk streams as are
/// allowed, each without its end.
async fn hold(address: &str) -> TcpStream {
    let mut socket = shake_hands(address).await;
    let mut out = BytesMut::new();
    ChunkWriter::new().write(&mut out, 2, 1, 0, 0, &8_000u32.to_be_bytes());
    for chunk_stream in 3..18u8 {
        // A message of 64 KiB, of which one chunk comes.
        out.extend_from_slice(&[chunk_stream, 0, 0, 0, 1, 0, 0, VIDEO, 1, 0, 0, 0]);
        out.extend_from_slice(&[0; 8_000]);
    }
    socket.write_all(&out).await.unwrap();
    socket
}

/// Connects and asks; the answers are left in the socket.
async fn ask(address: &str, what: &str, name: &str) -> TcpStream {
    let mut socket = shake_hands(address).await;
    let object = vec![("app".to_owned(), "live".into()), ("tcUrl".to_owned(), "rtmp://x/live".into())];
    let requests: [Vec<Value>; 3] = [
        vec!["connect".into(), 1.0.into(), Value::Object(object)],
        vec!["createStream".into(), 2.0.into(), Value::Null],
        vec![what.into(), 3.0.into(), Value::Null, name.into(), "live".into()],
    ];
    for values in requests {
        let mut out = BytesMut::new();
        ChunkWriter::new().write(&mut out, 3, COMMAND, 0, 1, &encode_all(&values));
        socket.write_all(&out).await.unwrap();
    }
    socket
}

async fn shake_hands(address: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(&[&[3], &[0; 1536][..]].concat()).await.unwrap();
    let mut answer = [0; 1 + 2 * 1536];
    socket.read_exact(&mut answer).await.unwrap();
    socket.write_all(&answer[1..=1536]).await.unwrap();
    socket
}
