//! Carries out what a person types, and shows what there is.

use anyhow::{Result, ensure};
use testbed::{Cluster, Daemon, Mode, STOP_LIMIT, Store};

use crate::command::{Action, Command, HELP};

/// Carries a command out, and prints what came of it.
pub async fn carry_out(command: Command, cluster: &Cluster) -> Result<()> {
    match command {
        Command::Help => println!("{HELP}"),
        Command::Status => return print_status(cluster).await,
        Command::Cut(node, store, mode) => cluster.link(node, store)?.set(mode),
        Command::CutReplication(mode) => cluster.replication().set(mode),
        Command::Mend => cluster.mend(),
        Command::To(action, name) => return act(action, cluster.daemon(&name)?).await,
        Command::Lag(seconds) => cluster.replica().delay(seconds).await?,
        Command::Quit => {}
    }
    Ok(())
}

async fn act(action: Action, daemon: &Daemon) -> Result<()> {
    // It may have ended by itself, and nobody has taken notice yet.
    if let Err(error) = daemon.check() {
        println!("{error:#}");
    }
    match action {
        Action::Kill => daemon.kill(),
        Action::Freeze => daemon.freeze()?,
        Action::Thaw => daemon.thaw()?,
        Action::Start => daemon.start().await?,
        Action::Reload => daemon.reload()?,
        Action::Stop => stop(daemon).await?,
        Action::Restart => {
            stop(daemon).await?;
            daemon.start().await?;
        }
    }
    println!("{}: {}", daemon.name(), state(daemon).await);
    Ok(())
}

async fn stop(daemon: &Daemon) -> Result<()> {
    let status = daemon.terminate(STOP_LIMIT).await?;
    ensure!(status.success(), "{} ended: {status}", daemon.name());
    Ok(())
}

/// Addresses and process ids, links, and who is master.
async fn print_status(cluster: &Cluster) -> Result<()> {
    for daemon in cluster.daemons() {
        let pid = daemon.pid().map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        println!("{:12} {pid:>8}  {:9}  {}", daemon.name(), state(daemon).await, address(cluster, daemon));
    }
    let masters = cluster.redis().masters().await?;
    println!("masters of the Redis Cluster: {}", numbers(&masters));
    for node in cluster.nodes() {
        for store in Store::ALL {
            let mode = node.link(store).mode();
            if mode != Mode::Pass {
                println!("cut: node {} from {}: {mode:?}", node.id, store.name());
            }
        }
    }
    if cluster.replication().mode() != Mode::Pass {
        println!("cut: the replica from the primary: {:?}", cluster.replication().mode());
    }
    Ok(())
}

async fn state(daemon: &Daemon) -> &'static str {
    match (daemon.pid(), daemon.is_ready().await) {
        (None, _) => "gone",
        (Some(_), true) => "ready",
        (Some(_), false) => "not ready",
    }
}

fn numbers(masters: &[usize]) -> String {
    masters.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

/// Where it answers.
fn address(cluster: &Cluster, daemon: &Daemon) -> String {
    if let Some(node) = cluster.nodes().iter().find(|node| node.daemon.name() == daemon.name()) {
        return format!("http://{}, http://{}/metrics", node.addr, node.metrics_addr);
    }
    if let Some(redis) = cluster.redis().servers().iter().find(|redis| redis.daemon.name() == daemon.name()) {
        return format!("redis-cli -p {}", redis.addr.port());
    }
    let account = cluster.primary().account();
    let client = |port: u16| format!("mariadb -h 127.0.0.1 -P {port} -u {account} -p{account} {account}");
    match daemon.name() {
        "primary" => client(cluster.primary().addr.port()),
        "replica" => client(cluster.replica().addr.port()),
        "nginx" => format!("http://{}", cluster.nginx_addr()),
        "prometheus" => format!("http://{}", cluster.prometheus_addr()),
        _ => format!("http://{}", cluster.pushgateway_addr()),
    }
}
