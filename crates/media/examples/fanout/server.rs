//! The process that is measured, and the figures.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use media::httpflv::flv_stream;
use media::hub::{Audience, Hub, HubLimits, Protocol, Silent, StreamName};
use media::rtmp::{Gate, Refusal, Server, ServerLimits, StreamRequest};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Plan;

/// Ticks of `/proc/PID/stat` in a second.
const TICKS: f64 = 100.0;
/// Enough for the load to connect, and for the first groups of pictures to be sent.
const SETTLE: Duration = Duration::from_secs(6);

/// Lets everybody in.
struct Open;

impl Gate for Open {
    async fn publish(&self, request: &StreamRequest, _: SocketAddr) -> Result<StreamName, Refusal> {
        Ok(request.path().into())
    }
    async fn play(&self, request: &StreamRequest, _: SocketAddr) -> Result<StreamName, Refusal> {
        Ok(request.path().into())
    }
}

async fn flv(hub: web::Data<Hub>, name: web::Path<String>) -> HttpResponse {
    let audience = Audience { protocol: Protocol::HttpFlv, address: None };
    match hub.watch(&name, audience) {
        Ok(viewer) => HttpResponse::Ok().content_type("video/x-flv").streaming(flv_stream(viewer)),
        Err(error) => HttpResponse::NotFound().body(error.to_string()),
    }
}

/// Serves here, loads from another process, and prints what it took.
pub async fn measure(plan: &Plan) {
    let limits = HubLimits {
        max_viewers: usize::MAX,
        viewers_per_address: usize::MAX,
        max_publishers: usize::MAX,
        ..HubLimits::default()
    };
    let hub = Hub::new(limits, Arc::new(Silent));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rtmp = listener.local_addr().unwrap();
    let patient = Duration::from_secs(60);
    let limits =
        ServerLimits { strangers_per_address: usize::MAX, negotiation: patient, ..ServerLimits::default() };
    let server = Arc::new(Server::new(hub.clone(), Open, limits));
    let wrap = |socket| std::future::ready(Ok(socket));
    tokio::spawn(server.serve(listener, wrap, CancellationToken::new()));
    let data = web::Data::new(hub.clone());
    let app = move || App::new().app_data(data.clone()).route("/{name:.*}.flv", web::get().to(flv));
    let server = HttpServer::new(app).workers(2).max_connections(50_000).backlog(4096);
    let server = server.disable_signals().bind("127.0.0.1:0").unwrap();
    let http = server.addrs()[0];
    tokio::spawn(server.run());

    let streams = if plan.kind == "publishers" { plan.count } else { 1 };
    let mut encoders = load(&["publish", &rtmp.to_string(), &streams.to_string()]);
    let deadline = Instant::now() + Duration::from_secs(30);
    while hub.list().iter().filter(|info| info.up).count() < streams as usize {
        assert!(Instant::now() < deadline, "the encoders do not publish");
        sleep(Duration::from_millis(20)).await;
    }
    // A whole group of pictures, as viewers find it.
    sleep(Duration::from_secs(3)).await;
    let own = std::process::id();
    let before = resident_kb(own).saturating_sub((hub.stats().memory >> 10) as u64);
    let viewers = plan.count.to_string();
    let (kind, address) = match plan.kind.as_str() {
        "rtmp" => ("play", rtmp),
        "strangers" => ("strangers", rtmp),
        _ => ("watch", http),
    };
    let mut players = load(&[kind, &address.to_string(), &viewers, &streams.to_string()]);
    sleep(SETTLE).await;
    let (cpu, stats) = (cpu_seconds(own), hub.stats());
    sleep(Duration::from_secs(plan.seconds)).await;
    let used = 100.0 * (cpu_seconds(own) - cpu) / plan.seconds as f64;
    let now = hub.stats();
    let sent = |stats: &media::hub::HubStats| stats.bytes_out.iter().sum::<u64>();
    let megabits = 8.0 * (sent(&now) - sent(&stats)) as f64 / 1e6 / plan.seconds as f64;
    println!("{} x {}: viewers now {:?} by protocol", plan.count, plan.kind, now.viewers);
    println!("behind: {} frames skipped, {} viewers closed", now.skipped_frames, now.slow_viewers);
    println!("sent: {megabits:.0} Mbit/s, {:.2} Mbit/s a viewer", megabits / plan.count as f64);
    println!("CPU: {used:.1} % of a core, {:.4} % a viewer", used / plan.count as f64);
    let memory = resident_kb(own).saturating_sub((now.memory >> 10) as u64).saturating_sub(before);
    println!("memory: {} kB a viewer, beside windows of {} kB", memory / plan.count, now.memory >> 10);
    report(&mut players).await;
    players.kill().await.unwrap();
    encoders.kill().await.unwrap();
}

/// The same load by RTMP on a server that runs already, by its process id.
pub async fn measure_foreign(plan: &Plan, pid: u64, url: &str) {
    let pid = u32::try_from(pid).unwrap();
    let (address, _) = url.strip_prefix("rtmp://").unwrap().split_once('/').unwrap();
    let mut encoders = load(&["publish", address, "1"]);
    sleep(Duration::from_secs(3)).await;
    let before = resident_kb(pid);
    let mut players = load(&["play", address, &plan.count.to_string(), "1"]);
    sleep(SETTLE).await;
    let cpu = cpu_seconds(pid);
    sleep(Duration::from_secs(plan.seconds)).await;
    let used = 100.0 * (cpu_seconds(pid) - cpu) / plan.seconds as f64;
    println!("{} x {url}", plan.count);
    println!("CPU: {used:.1} % of a core, {:.4} % a viewer", used / plan.count as f64);
    println!("memory: {} kB a viewer", resident_kb(pid).saturating_sub(before) / plan.count);
    report(&mut players).await;
    players.kill().await.unwrap();
    encoders.kill().await.unwrap();
}

/// Starts encoders or viewers.
fn load(arguments: &[&str]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .arg("load")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// What the viewers saw: they say it when their input ends.
async fn report(players: &mut Child) {
    drop(players.stdin.take());
    let mut lines = BufReader::new(players.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        println!("{line}");
    }
}

fn cpu_seconds(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    // utime and stime.
    (ticks(11) + ticks(12)) / TICKS
}

fn resident_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
