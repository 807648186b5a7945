//! What is done to the cluster, and how it is undone.

use std::time::Duration;

use testbed::{Cluster, Mode, Store};

/// How long a process may take to end after SIGTERM.
const END: Duration = Duration::from_secs(45);

/// A fault, as long as it lasts.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    NodeKilled(u16),
    ReplicaStopped,
    ReplicaLags,
    PrimaryRestarted,
    PrimaryKilled,
    /// One of the servers that are masters at the start of the drill.
    RedisMasterKilled(usize),
    /// No byte passes, no connection ends.
    CutOff(u16, Store),
}

impl Fault {
    /// All of them, `masters` being the masters of the Redis Cluster.
    pub fn all(masters: &[usize]) -> Vec<Self> {
        let nodes = 1..=3;
        let mut all: Vec<_> = nodes.clone().map(Self::NodeKilled).collect();
        all.extend([Self::ReplicaStopped, Self::ReplicaLags, Self::PrimaryRestarted, Self::PrimaryKilled]);
        all.extend(masters.iter().copied().map(Self::RedisMasterKilled));
        all.extend(nodes.flat_map(|node| Store::ALL.map(|store| Self::CutOff(node, store))));
        all
    }

    /// One of each that differs in what it does to the nodes.
    pub fn some(masters: &[usize]) -> Vec<Self> {
        vec![
            Self::NodeKilled(2),
            Self::ReplicaLags,
            Self::PrimaryKilled,
            Self::RedisMasterKilled(masters[0]),
            Self::CutOff(1, Store::Redis),
            Self::CutOff(3, Store::Primary),
        ]
    }

    pub fn name(self) -> String {
        match self {
            Self::NodeKilled(node) => format!("node {node} killed"),
            Self::ReplicaStopped => "replica stopped".to_owned(),
            Self::ReplicaLags => "replica lags".to_owned(),
            Self::PrimaryRestarted => "primary restarted".to_owned(),
            Self::PrimaryKilled => "primary killed".to_owned(),
            Self::RedisMasterKilled(number) => format!("redis-{number} (master) killed"),
            Self::CutOff(node, store) => format!("node {node} cut off {}", store.name()),
        }
    }

    pub async fn begin(self, cluster: &Cluster) {
        match self {
            Self::NodeKilled(node) => cluster.node(node).unwrap().daemon.kill(),
            Self::ReplicaStopped => {
                cluster.replica().daemon.terminate(END).await.unwrap();
            }
            Self::ReplicaLags => cluster.replica().pause_following().await.unwrap(),
            Self::PrimaryRestarted => {
                cluster.primary().daemon.terminate(END).await.unwrap();
            }
            Self::PrimaryKilled => cluster.primary().daemon.kill(),
            Self::RedisMasterKilled(number) => cluster.redis().server(number).unwrap().daemon.kill(),
            Self::CutOff(node, store) => cluster.link(node, store).unwrap().set(Mode::BlackHole),
        }
    }

    /// Returns as soon as what was away is there again.
    pub async fn end(self, cluster: &Cluster) {
        match self {
            Self::NodeKilled(node) => cluster.node(node).unwrap().daemon.start().await.unwrap(),
            Self::ReplicaStopped => cluster.replica().daemon.start().await.unwrap(),
            Self::ReplicaLags => cluster.replica().resume_following().await.unwrap(),
            Self::PrimaryRestarted | Self::PrimaryKilled => cluster.primary().daemon.start().await.unwrap(),
            Self::RedisMasterKilled(number) => {
                cluster.redis().server(number).unwrap().daemon.start().await.unwrap();
            }
            Self::CutOff(node, store) => cluster.link(node, store).unwrap().set(Mode::Pass),
        }
    }

    /// Waits until the stores are as they were, so that the next fault is the only one.
    pub async fn settle(self, cluster: &Cluster) {
        match self {
            Self::RedisMasterKilled(_) => cluster.redis().wait_whole().await.unwrap(),
            Self::ReplicaStopped | Self::ReplicaLags | Self::PrimaryRestarted | Self::PrimaryKilled => {
                cluster.replica().wait_following().await.unwrap();
                cluster.replica().catch_up(cluster.primary()).await.unwrap();
            }
            Self::NodeKilled(_) | Self::CutOff(..) => {}
        }
    }
}
