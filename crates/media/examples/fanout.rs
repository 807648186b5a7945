//! Measures one publisher of 4 Mbit/s before many FLV viewers over TCP: CPU and memory of the server per viewer.
//!
//! ```sh
//! cargo run --release -p media --example fanout -- 500 20    # viewers, seconds
//! ```
//!
//! The viewers are another process, so that only the server is measured. Both ends of each connection need a
//! file descriptor (`ulimit -n`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]

use std::io::Read;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use media::flv::{Tag, TagKind};
use media::hub::{Audience, Hub, HubLimits, Protocol, Silent, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{interval, sleep};

const FPS: u32 = 30;
/// A keyframe each two seconds.
const GOP: u32 = 60;
/// 4 Mbit/s of pictures, 128 kbit/s of sound.
const PICTURE: usize = 16_600;
const SOUND: usize = 340;
/// Ticks of `/proc/self/stat` in a second.
const TICKS: f64 = 100.0;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [word, address, viewers] if word == "drink" => drink(address, viewers.parse().unwrap()).await,
        rest => {
            let number =
                |index: usize, usual: u64| rest.get(index).map_or(usual, |word| word.parse().unwrap());
            serve(number(0, 500), number(1, 20)).await;
        }
    }
}

/// The other process: opens connections and reads.
async fn drink(address: &str, viewers: u64) {
    for _ in 0..viewers {
        let mut socket = TcpStream::connect(address).await.unwrap();
        tokio::spawn(async move {
            let mut buffer = vec![0; 64 << 10];
            while socket.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
        });
    }
    std::future::pending::<()>().await;
}

async fn serve(viewers: u64, seconds: u64) {
    let limits = HubLimits { max_viewers: usize::MAX, ..HubLimits::default() };
    let hub = Hub::new(limits, Arc::new(Silent));
    tokio::spawn(publish(hub.clone()));
    while hub.info("live/a").is_none_or(|info| !info.up) {
        sleep(Duration::from_millis(10)).await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let memory_before = resident_kb();
    let sent = Arc::new(AtomicU64::new(0));
    let mut drinker = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["drink", &address, &viewers.to_string()])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    for _ in 0..viewers {
        let (socket, _) = listener.accept().await.unwrap();
        tokio::spawn(view(hub.clone(), socket, Arc::clone(&sent)));
    }
    sleep(Duration::from_secs(3)).await;
    let (cpu, bytes) = (cpu_seconds(), sent.load(Ordering::Relaxed));
    sleep(Duration::from_secs(seconds)).await;
    let used = 100.0 * (cpu_seconds() - cpu) / seconds as f64;
    let megabits = 8.0 * (sent.load(Ordering::Relaxed) - bytes) as f64 / 1e6 / seconds as f64;
    let memory = resident_kb().saturating_sub(memory_before);
    let stats = hub.stats();
    println!(
        "viewers: {}, slow: {}, skipped frames: {}",
        stats.viewers[1], stats.slow_viewers, stats.skipped_frames
    );
    println!("sent: {megabits:.0} Mbit/s, {:.2} Mbit/s a viewer", megabits / viewers as f64);
    println!("CPU: {used:.1} % of a core, {:.4} % a viewer", used / viewers as f64);
    println!("memory: {} kB a viewer, beside a window of {} kB", memory / viewers, stats.memory / 1024);
    drinker.kill().await.unwrap();
}

async fn publish(hub: Hub) {
    let source = Source { protocol: Protocol::Rtmp, peer: None };
    let mut publisher = hub.publish(&"live/a".into(), source).unwrap();
    let mut beat = interval(Duration::from_millis(1000 / u64::from(FPS)));
    for frame in 0u32.. {
        beat.tick().await;
        let timestamp = frame * 1000 / FPS;
        let first = if frame.is_multiple_of(GOP) { 0x17 } else { 0x27 };
        let body = [&[first, 1, 0, 0, 0][..], &[0; PICTURE]].concat();
        publisher.push(Tag { kind: TagKind::Video, timestamp, body: body.into() }).unwrap();
        let body = Bytes::from([&[0xaf, 1][..], &[0; SOUND]].concat());
        publisher.push(Tag { kind: TagKind::Audio, timestamp, body }).unwrap();
    }
}

async fn view(hub: Hub, mut socket: TcpStream, sent: Arc<AtomicU64>) {
    let audience = Audience { protocol: Protocol::HttpFlv, address: None };
    let mut viewer = hub.watch("live/a", audience).unwrap();
    while let Ok(frame) = viewer.next().await {
        if socket.write_all(frame.tag()).await.is_err() {
            return;
        }
        sent.fetch_add(frame.tag().len() as u64, Ordering::Relaxed);
    }
}

fn cpu_seconds() -> f64 {
    let mut text = String::new();
    std::fs::File::open("/proc/self/stat").unwrap().read_to_string(&mut text).unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    // utime and stime.
    (ticks(11) + ticks(12)) / TICKS
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
