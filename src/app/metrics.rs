//! How the metrics leave the node.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use prometheus::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use common::supervise;
use config::{Config, PromeConfig};
use telemetry::exporter;
use telemetry::pusher::Pusher;

/// An exporter to be stopped, and where it listens; or a pusher that ends by itself.
type Metrics = (Option<ServerHandle>, Option<SocketAddr>, Option<JoinHandle<()>>);

/// Lets Prometheus fetch them, or pushes them until `stop`.
pub(super) fn start(
    config: &Config,
    registry: Registry,
    stop: &CancellationToken,
) -> anyhow::Result<Metrics> {
    match &config.prome {
        PromeConfig::Off => Ok((None, None, None)),
        PromeConfig::Exporter { listen_addr } => {
            let (server, addr) = exporter::serve(&registry, listen_addr)?;
            let handle = server.handle();
            supervise::spawn_until("exporter", stop, async {
                if let Err(error) = server.await {
                    tracing::error!(%error, "the exporter has failed");
                }
            });
            Ok((Some(handle), Some(addr), None))
        }
        PromeConfig::Pusher { url, job, instance, interval_s } => {
            let pusher = Pusher::new(url, job, instance, Duration::from_secs(*interval_s))?;
            let pushing = supervise::spawn_until("pusher", stop, pusher.run(registry, stop.clone()));
            Ok((None, None, Some(pushing)))
        }
    }
}
