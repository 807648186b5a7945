//! `cluster`: starts a cluster on this machine, shows what is where, and does to it what is typed.

mod command;
mod console;

use std::io::{IsTerminal, stdin};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use testbed::{Cluster, Metrics, Plan, ServerKeys, tethered};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::spawn_blocking;

use self::command::{Command, HELP};

/// For the console at `/console`, and for `/server` calls. Nobody else reaches the loopback interface.
const ADMINISTRATOR: (&str, &str) = ("admin", "console of the cluster");
const SERVER_KEYS: (&str, &str) = ("cluster-access", "cluster-secret-0123456789abcdef");

/// What differs from a cluster for tests: a demo room, streams of a media server on this machine.
const OVERLAY: &str = "\
demo: {enable: true}
pili: {hub: live, security_type: expiry, publish_key: cluster-publish-key, publish_url: 'rtmp://127.0.0.1:1935',
  rtmp_play_url: 'rtmp://127.0.0.1:1935', flv_play_url: 'http://127.0.0.1:8080',
  hls_play_url: 'http://127.0.0.1:8080/hls'}
";

/// Starts MariaDB with a replica, a Redis Cluster, liveloom nodes, nginx, Prometheus and a Pushgateway on this
/// machine, and then does to them what is typed. Everything ends with it.
#[derive(Parser, Debug)]
struct Arguments {
    /// The server's program; without it `liveloom` beside this one.
    #[arg(long)]
    server: Option<PathBuf>,
    /// Where to keep everything, and leave it behind; without it a temporary folder.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// cron.lease_s
    #[arg(long, default_value_t = 10)]
    lease: u64,
    /// callback.addr
    #[arg(long)]
    callback: Option<String>,
    /// gift.gift_addr; without it the server's own stand-in
    #[arg(long)]
    gift: Option<String>,
    /// How the nodes' metrics get to Prometheus.
    #[arg(long, value_enum, default_value_t = Way::Exporter)]
    metrics: Way,
    /// A YAML file that is merged over the nodes' configuration.
    #[arg(long)]
    overlay: Option<PathBuf>,
}

/// `prome.client_mode`
#[derive(ValueEnum, Clone, Copy, Debug)]
enum Way {
    /// Prometheus fetches them.
    Exporter,
    /// They are sent to the Pushgateway.
    Pusher,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cluster: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let mut ends = Ends::listen()?;
    let plan = plan(arguments)?;
    println!("starting, for about ten seconds");
    let cluster = tokio::select! {
        cluster = Cluster::start(plan.clone()) => cluster?,
        () = ends.come() => return Ok(()),
    };
    create_administrator(&plan, &cluster).await?;
    print_welcome(&cluster).await?;
    tokio::select! {
        () = converse(&cluster, typed()) => {}
        () = ends.come() => {}
    }
    println!("stopping");
    cluster.stop().await;
    Ok(())
}

fn plan(arguments: Arguments) -> Result<Plan> {
    let server = match arguments.server {
        Some(server) => server.canonicalize().with_context(|| format!("no {}", server.display()))?,
        None => std::env::current_exe()?.with_file_name("liveloom"),
    };
    if !server.exists() {
        bail!("no server at {}: cargo build --release -p liveloom -p testbed", server.display());
    }
    let overlay = match arguments.overlay {
        Some(file) => std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?,
        None => OVERLAY.to_owned(),
    };
    let (access_key, secret_key) = SERVER_KEYS;
    Ok(Plan {
        folder: arguments.folder,
        lease_s: arguments.lease,
        callback_addr: arguments.callback,
        gift_addr: arguments.gift,
        server_keys: Some(ServerKeys {
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
        }),
        metrics: match arguments.metrics {
            Way::Exporter => Metrics::Exported,
            Way::Pusher => Metrics::Pushed,
        },
        overlay,
        ..Plan::new(server)
    })
}

/// The lines of standard input, read by a thread that nobody waits for at the end.
fn typed() -> UnboundedReceiver<String> {
    let (sender, lines) = unbounded_channel();
    thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Carries out commands until there are no more.
async fn converse(cluster: &Cluster, mut lines: UnboundedReceiver<String>) {
    while let Some(line) = lines.recv().await {
        let done = match Command::parse(&line) {
            Ok(Some(Command::Quit)) => return,
            Ok(Some(command)) => console::carry_out(command, cluster).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            println!("{error:#}");
        }
    }
    // Without a terminal it runs until it is told to end.
    if !stdin().is_terminal() {
        std::future::pending::<()>().await;
    }
}

async fn create_administrator(plan: &Plan, cluster: &Cluster) -> Result<()> {
    let node = cluster.nodes().first().context("a node")?;
    let [config, overlay] = &node.files;
    let (name, password) = ADMINISTRATOR;
    let mut command = tethered(&plan.server);
    command.args(["admin", "create", "--name", name, "--config"]).arg(config).arg("-e").arg(overlay);
    command.env("LIVELOOM_ADMIN_PASSWORD", password).stdin(Stdio::null());
    let output = spawn_blocking(move || command.output()).await??;
    if !output.status.success() {
        bail!("no administrator: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

async fn print_welcome(cluster: &Cluster) -> Result<()> {
    console::carry_out(Command::Status, cluster).await?;
    let front = cluster.nginx_addr();
    println!("\ndemo room        http://{front}/");
    println!("console          http://{front}/console as {} with {}", ADMINISTRATOR.0, ADMINISTRATOR.1);
    println!("Prometheus       http://{}/alerts", cluster.prometheus_addr());
    println!("/server calls    access key {}, secret key {}", SERVER_KEYS.0, SERVER_KEYS.1);
    println!("data and logs    {}", cluster.folder().display());
    println!("\n{HELP}\n");
    Ok(())
}

/// What asks this process to end.
struct Ends {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Ends {
    fn listen() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn come(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
