//! A Redis Cluster.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;
use tokio::task::spawn_blocking;

use crate::daemon::PortTaken;
use crate::port::Port;
use crate::redis::Redis;
use crate::spawner::tethered;
use crate::wait::wait_until;

/// 3 masters and 3 replicas.
const SERVERS: usize = 6;
/// A server that is gone this long is replaced by its replica.
const NODE_TIMEOUT_MS: &str = "1500";
const WHOLE_LIMIT: Duration = Duration::from_secs(60);

/// 3 masters with a replica each, in no fixed roles. What was acknowledged survives the death of a process, not that
/// of the machine; what a master acknowledged and its replica has not heard yet is lost when the replica takes over.
#[derive(Debug)]
pub struct RedisCluster {
    servers: Vec<Redis>,
    _ports: Vec<Port>,
}

impl RedisCluster {
    /// Starts one, with files below `folder`, and waits until it is whole.
    ///
    /// # Errors
    /// When a server does not start or the cluster does not come together.
    pub async fn start(folder: &Path) -> Result<Self> {
        let mut ports = Vec::new();
        let mut servers = Vec::new();
        for number in 1..=SERVERS {
            let (port, bus) = (Port::reserve()?, Port::reserve()?);
            let options = [
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus.number().to_string(),
                "--cluster-node-timeout",
                NODE_TIMEOUT_MS,
                "--cluster-replica-validity-factor",
                "0",
                "--repl-diskless-sync-delay",
                "0",
                // Redirections and layouts name ports only: a client stays with the address that it asked, and so
                // with the proxies that are its own.
                "--cluster-preferred-endpoint-type",
                "unknown-endpoint",
                "--appendonly",
                "yes",
                "--appendfsync",
                "no",
            ];
            servers.push(Redis::new(&format!("redis-{number}"), folder, port.addr(), &options)?);
            ports.extend([port, bus]);
        }
        let cluster = Self { servers, _ports: ports };
        try_join_all(cluster.servers.iter().map(|server| server.daemon.start())).await?;
        cluster.join().await?;
        cluster.wait_whole().await?;
        Ok(cluster)
    }

    /// All servers, `redis-1` first.
    pub fn servers(&self) -> &[Redis] {
        &self.servers
    }

    /// One by its number, from 1 on.
    ///
    /// # Errors
    /// When there is none.
    pub fn server(&self, number: usize) -> Result<&Redis> {
        let server = number.checked_sub(1).and_then(|index| self.servers.get(index));
        server.with_context(|| format!("there is no redis-{number}"))
    }

    /// The numbers of those that serve slots now.
    ///
    /// # Errors
    /// When no server answers.
    pub async fn masters(&self) -> Result<Vec<usize>> {
        let nodes = self.any(&["CLUSTER", "NODES"]).await?;
        let ports: BTreeSet<u16> = nodes.lines().filter_map(port_of_master).collect();
        let numbers = (1..).zip(&self.servers).filter(|(_, server)| ports.contains(&server.addr.port()));
        Ok(numbers.map(|(number, _)| number).collect())
    }

    /// Waits until every server runs and the cluster is as after its start: all agree, and each master has its
    /// replica.
    ///
    /// # Errors
    /// When it is not after a minute.
    pub async fn wait_whole(&self) -> Result<()> {
        wait_until("the Redis Cluster is whole", WHOLE_LIMIT, async || self.is_whole().await).await
    }

    /// Whether all agree and each master has its replica.
    pub async fn is_whole(&self) -> bool {
        for server in &self.servers {
            if !is_whole_at(server).await.unwrap_or(false) {
                return false;
            }
        }
        true
    }

    async fn join(&self) -> Result<()> {
        let mut command = tethered("redis-cli");
        command.args(["--cluster", "create"]);
        command.args(self.servers.iter().map(|server| server.addr.to_string()));
        command.args(["--cluster-replicas", "1", "--cluster-yes"]).stdin(Stdio::null());
        let output = spawn_blocking(move || command.output()).await?.context("redis-cli is missing")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            // Another Redis answers on a port that should be ours.
            if said.contains("is not empty") {
                bail!(PortTaken::of("redis"));
            }
            bail!("redis-cli --cluster create: {said}");
        }
        Ok(())
    }

    async fn any(&self, words: &[&str]) -> Result<String> {
        for server in &self.servers {
            if let Ok(answer) = server.run(words).await {
                return Ok(answer);
            }
        }
        bail!("no Redis answers")
    }
}

async fn is_whole_at(server: &Redis) -> Result<bool> {
    let cluster: String = server.run(&["CLUSTER", "INFO"]).await?;
    let nodes: String = server.run(&["CLUSTER", "NODES"]).await?;
    let replication: String = server.run(&["INFO", "replication"]).await?;
    let is_linked = if replication.contains("role:master") {
        replication.contains("connected_slaves:1") && replication.contains("state=online")
    } else {
        replication.contains("master_link_status:up")
    };
    Ok(is_linked
        && cluster.contains("cluster_state:ok")
        && nodes.lines().filter(|line| !line.contains("fail") && line.contains(" connected")).count()
            == SERVERS
        && nodes.lines().filter(|line| port_of_master(line).is_some()).count() == SERVERS / 2)
}

/// A line of CLUSTER NODES: id, address (`ip:port@bus`), flags, master, ping, pong, epoch, link, slots. The port, if
/// it is a master that lives and serves slots.
fn port_of_master(line: &str) -> Option<u16> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (address, flags) = (fields.get(1)?, fields.get(2)?);
    if !flags.contains("master") || flags.contains("fail") || fields.len() < 9 {
        return None;
    }
    address.split_once('@')?.0.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masters_serve_slots_and_live() {
        let line = |flags: &str, slots: &str| {
            format!("54f1586b 127.0.0.1:26101@26201 {flags} - 0 1795294780000 1 connected {slots}")
        };
        assert_eq!(port_of_master(&line("myself,master", "0-5460")), Some(26_101));
        assert_eq!(port_of_master(&line("master", "")), None);
        assert_eq!(port_of_master(&line("master,fail", "0-5460")), None);
        assert_eq!(port_of_master(&line("slave", "")), None);
    }
}
