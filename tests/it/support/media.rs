//! A media server (nginx with nginx-rtmp), an encoder (ffmpeg) and a player (ffprobe) of the test's own.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::server::free_port;
use crate::support::wait::wait_until;

/// How long nginx may take to listen, and ffmpeg to end.
const LIMIT: Duration = Duration::from_secs(30);

/// nginx with an RTMP application that asks a server's hooks and writes HLS; killed when dropped.
pub struct MediaServer {
    nginx: Child,
    folder: TempDir,
    rtmp_port: u16,
    http_port: u16,
}

impl MediaServer {
    /// Starts one with the application `hub`, whose hooks are at `127.0.0.1:<hooks_port>`.
    pub async fn start(hub: &str, hooks_port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("hls")).unwrap();
        let (rtmp_port, http_port) = (free_port(), free_port());
        fs::write(folder.path().join("nginx.conf"), settings(hub, hooks_port, rtmp_port, http_port)).unwrap();
        // nginx-rtmp takes relative paths from where it was started, nginx from its prefix.
        let nginx = Command::new("nginx")
            .arg("-p")
            .arg(folder.path())
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx is installed");
        let server = Self { nginx, folder, rtmp_port, http_port };
        wait_until("nginx listens", LIMIT, async || {
            [rtmp_port, http_port].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        })
        .await;
        server
    }

    /// Where streams are published to, without the application.
    pub fn rtmp_url(&self) -> String {
        format!("rtmp://127.0.0.1:{}", self.rtmp_port)
    }

    /// Where HLS is played from, without the application.
    pub fn hls_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http_port)
    }

    /// Puts a video of so many seconds where the FLV of a stream is played from.
    pub fn put_flv(&self, stream: &str, seconds: u32) {
        let file = self.folder.path().join("hls").join(format!("{stream}.flv"));
        let mut encoder = std::process::Command::new("ffmpeg");
        encoder.args(test_video(seconds)).arg(file).stdin(Stdio::null());
        let output = encoder.output().expect("ffmpeg is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The names of all files of HLS.
    pub fn files(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.path().join("hls")).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// A folder that goes with the server.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for MediaServer {
    fn drop(&mut self) {
        // SIGQUIT or SIGKILL would leave the worker to itself for a while.
        let stop = format!("kill -TERM {}", self.nginx.id());
        let _ = Command::new("sh").args(["-c", &stop]).status();
        let _ = self.nginx.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
            eprintln!("nginx's log:\n{log}");
        }
    }
}

/// One worker that stays in the foreground and keeps everything in its folder.
fn settings(hub: &str, hooks_port: u16, rtmp_port: u16, http_port: u16) -> String {
    // As root, nginx would else give its worker to a user who cannot write here.
    let user = if is_root() { "user root;" } else { "" };
    format!(
        "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
        {user} daemon off; worker_processes 1; pid nginx.pid; error_log error.log info;
        events {{ worker_connections 256; }}
        rtmp {{ server {{
            listen 127.0.0.1:{rtmp_port};
            application {hub} {{
                live on;
                hls on; hls_path hls; hls_fragment 1s; hls_playlist_length 60s; hls_cleanup off;
                on_publish http://127.0.0.1:{hooks_port}/hooks/publish;
                on_publish_done http://127.0.0.1:{hooks_port}/hooks/publish_done;
            }}
        }} }}
        http {{
            access_log off;
            client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
            server {{
                listen 127.0.0.1:{http_port};
                location /{hub}/ {{
                    alias hls/;
                    types {{ application/vnd.apple.mpegurl m3u8; video/mp2t ts; video/x-flv flv; }}
                    add_header Access-Control-Allow-Origin * always;
                    # An FLV comes about as fast as it is played, as a live stream does.
                    limit_rate 64k;
                }}
            }}
        }}"
    )
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id is there");
    output.stdout.starts_with(b"0")
}

/// Publishes a test picture with sound for `seconds`, in real time. What ffmpeg says in the end.
pub async fn publish(push_url: &str, seconds: u32) -> Output {
    let mut encoder = tokio::process::Command::new("ffmpeg");
    encoder.arg("-re").args(test_video(seconds)).arg(push_url).stdin(Stdio::null()).kill_on_drop(true);
    let limit = LIMIT + Duration::from_secs(seconds.into());
    tokio::time::timeout(limit, encoder.output()).await.expect("ffmpeg ends").expect("ffmpeg is installed")
}

/// What makes ffmpeg write a test picture with sound as FLV.
fn test_video(seconds: u32) -> Vec<String> {
    let input =
        "-nostdin -loglevel warning -f lavfi -i testsrc=size=320x180:rate=15 -f lavfi -i sine=frequency=440";
    // A key frame each second, where HLS can cut.
    let output = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 15 -c:a aac -f flv";
    format!("{input} -t {seconds} {output}").split(' ').map(str::to_owned).collect()
}

/// Decodes the streams of a file: for each its kind, codec and number of decoded frames.
pub fn decode(file: &Path) -> Vec<(String, String, u64)> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-of", "json"])
        .args(["-show_entries", "stream=codec_type,codec_name,nb_read_frames"])
        .arg(file)
        .output()
        .expect("ffprobe is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let probe: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let streams = probe["streams"].as_array().unwrap().iter();
    streams
        .map(|stream| {
            let frames = text(&stream["nb_read_frames"]).parse().unwrap_or_default();
            (text(&stream["codec_type"]), text(&stream["codec_name"]), frames)
        })
        .collect()
}
