//! A hub with an RTMP server on a free port, ffmpeg before it and ffprobe behind it.

pub(crate) mod client;
pub(crate) mod encoder;
pub(crate) mod mp4;
pub(crate) mod player;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use media::hls::{Packager, PlaylistRequest};
use media::hub::{Audience, Hub, HubLimits, Protocol, Silent, Source, StreamName, Viewer};
use media::rtmp::{Gate, Refusal, Server, ServerLimits, StreamRequest};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// However busy the machine is, what is waited for comes within this time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const ENCODER: Source = Source { protocol: Protocol::Rtmp, peer: None };

/// Lets everybody in but to streams that are called forbidden.
pub(crate) struct Open;

fn decide(request: &StreamRequest) -> Result<StreamName, Refusal> {
    if request.path().ends_with("forbidden") {
        return Err(Refusal { label: "signature", reason: "the signature is wrong".to_owned() });
    }
    Ok(request.path().into())
}

impl Gate for Open {
    async fn publish(&self, request: &StreamRequest, _: SocketAddr) -> Result<StreamName, Refusal> {
        decide(request)
    }
    async fn play(&self, request: &StreamRequest, _: SocketAddr) -> Result<StreamName, Refusal> {
        decide(request)
    }
}

pub(crate) struct Node {
    pub(crate) hub: Hub,
    pub(crate) server: Arc<Server<Open>>,
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Node {
    /// With patience for viewers that a busy machine keeps from reading.
    pub(crate) async fn start() -> Self {
        let patient = HubLimits { skip_after: PATIENCE, close_after: 2 * PATIENCE, ..HubLimits::default() };
        Self::with(patient, ServerLimits::default()).await
    }

    pub(crate) async fn with(hub_limits: HubLimits, limits: ServerLimits) -> Self {
        let hub = Hub::new(hub_limits, Arc::new(Silent));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(Server::new(hub.clone(), Open, limits));
        let stop = CancellationToken::new();
        let serving =
            Arc::clone(&server).serve(listener, |socket| std::future::ready(Ok(socket)), stop.clone());
        let task = tokio::spawn(serving);
        Self { hub, server, address, stop, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.address)
    }

    /// Waits until the stream is up.
    pub(crate) async fn up(&self, name: &str) {
        wait(&format!("{name} is up"), || self.hub.info(name).is_some_and(|info| info.up)).await;
    }

    pub(crate) fn watch(&self, name: &str) -> Viewer {
        watch(&self.hub, name)
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

pub(crate) fn watch(hub: &Hub, name: &str) -> Viewer {
    hub.watch(name, Audience { protocol: Protocol::HttpFlv, address: None }).unwrap()
}

/// Waits for a condition.
pub(crate) async fn wait(what: &str, check: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !check() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// What ffmpeg is told to make: so many seconds of a moving picture, and of a tone.
pub(crate) const PICTURE: &str = "testsrc2=size=320x240:rate=30";
pub(crate) const TONE: &str = "sine=frequency=440:sample_rate=48000";

/// Starts ffmpeg with these arguments, words separated by spaces.
pub(crate) fn ffmpeg(arguments: &str) -> Child {
    let words = arguments.split_whitespace();
    Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-threads", "1"])
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("ffmpeg is installed (tests/packages.txt)")
}

/// Runs ffmpeg to its end, which must be a good one.
pub(crate) async fn ffmpeg_done(child: Child) {
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What ffprobe says of a track after decoding all of it: `codec_name=…`, `width=…`, `nb_read_frames=…`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Probe {
    pub(crate) codec: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) frames: u32,
    pub(crate) rate: u32,
}

/// Probes the track (`v:0`, `a:0`) of a file or playlist; what ffprobe complains about fails the test.
pub(crate) async fn probe(path: &Path, track: &str) -> Option<Probe> {
    let output = Command::new("ffprobe")
        .args(["-loglevel", "error", "-count_frames", "-select_streams", track])
        .args([
            "-show_entries",
            "stream=codec_name,width,height,nb_read_frames,sample_rate",
            "-of",
            "default=nw=1",
        ])
        .arg(path)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, output).await.unwrap().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{complaint}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut probe = Probe::default();
    for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let number = value.parse().unwrap_or(0);
        match key {
            "codec_name" => probe.codec = value.to_owned(),
            "width" => probe.width = number,
            "height" => probe.height = number,
            "sample_rate" => probe.rate = number,
            _ => probe.frames = number,
        }
    }
    (!probe.codec.is_empty()).then_some(probe)
}

/// Everything that a viewer of HTTP-FLV gets, to the end of the stream.
pub(crate) async fn flv_bytes(viewer: Viewer) -> Vec<u8> {
    let pieces: Vec<Bytes> = media::httpflv::flv_stream(viewer).map(|piece| piece.unwrap()).collect().await;
    pieces.concat()
}

/// Writes a packager's playlist and all that it names into a folder; the path of the playlist.
pub(crate) async fn dump_hls(packager: &Packager, folder: &Path) -> std::path::PathBuf {
    let playlist = packager.playlist(&PlaylistRequest::default()).await.unwrap();
    for name in names(&playlist.text) {
        // A hint names what does not exist yet.
        let Ok(resource) = packager.resource(&name).await else { continue };
        std::fs::write(folder.join(name), resource.pieces.concat()).unwrap();
    }
    let path = folder.join("index.m3u8");
    std::fs::write(&path, playlist.text).unwrap();
    path
}

/// All names in a playlist but the hint.
pub(crate) fn names(playlist: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in playlist.lines() {
        if line.starts_with("#EXT-X-PRELOAD-HINT") {
            continue;
        }
        if let Some((_, rest)) = line.split_once("URI=\"") {
            names.push(rest.split_once('"').unwrap().0.to_owned());
        } else if !line.starts_with('#') && !line.is_empty() {
            names.push(line.to_owned());
        }
    }
    names
}
