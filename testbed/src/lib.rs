//! A cluster of liveloom on one machine: MariaDB with a replica, a Redis Cluster, nodes, nginx in front, Prometheus
//! and a Pushgateway, all from Debian's packages, each of which can be cut off, frozen, killed and started again.
//!
//! [`Cluster::start`] is the whole; its parts ([`MariaDb`], [`Redis`], [`ChaosProxy`], [`Daemon`]) stand alone as
//! well. It knows the server as a program only, so that the server's own tests can use it.

mod chaos;
mod cluster;
mod daemon;
mod folder;
mod front;
mod http;
mod link;
mod mariadb;
mod monitors;
mod node;
mod plan;
mod port;
mod probe;
mod redis;
mod redis_cluster;
mod replication;
mod repository;
mod spawner;
mod wait;

use std::time::Duration;

pub use self::chaos::{ChaosProxy, Mode};
pub use self::cluster::Cluster;
pub use self::daemon::{Daemon, PortTaken};
pub use self::folder::Folder;
pub use self::http::{Answer, get};
pub use self::link::{Link, Store};
pub use self::mariadb::{MariaDb, install};
pub use self::node::{JWT_KEY, Node};
pub use self::plan::{Metrics, Plan, ServerKeys};
pub use self::port::{Port, free_address};
pub use self::probe::Probe;
pub use self::redis::Redis;
pub use self::redis_cluster::RedisCluster;
pub use self::spawner::tethered;
pub use self::wait::wait_until;

/// How long an orderly end may take: more than a node takes at most.
pub const STOP_LIMIT: Duration = Duration::from_secs(45);
