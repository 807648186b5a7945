//! Metrics pushed to a Prometheus Pushgateway.
//!
//! Protocol: `PUT <url>/metrics/job/<job>/instance/<instance>` replaces the group, `DELETE` drops it
//! (<https://github.com/prometheus/pushgateway#api>). With `POST` what a node tells no more, such as what it
//! counted as the leader, would stay in its group.

use std::time::Duration;

use anyhow::Context;
use prometheus::{Registry, TEXT_FORMAT};
use reqwest::header::CONTENT_TYPE;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::exporter::encode;

const TIMEOUT: Duration = Duration::from_secs(5);
/// A push that failed is made again after this long, or after the interval if that is shorter.
const RETRY: Duration = Duration::from_secs(5);

/// Where and how often to push.
#[derive(Debug)]
pub struct Pusher {
    client: reqwest::Client,
    group: Url,
    interval: Duration,
}

impl Pusher {
    /// Pushes to the group of `job` and `instance` at the gateway `url`.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn new(url: &str, job: &str, instance: &str, interval: Duration) -> anyhow::Result<Self> {
        let mut group = Url::parse(url).with_context(|| format!("prome.pusher_config.url: `{url}`"))?;
        group
            .path_segments_mut()
            .map_err(|()| anyhow::anyhow!("prome.pusher_config.url: `{url}` has no path"))?
            .pop_if_empty()
            .extend(["metrics", "job", job, "instance", instance]);
        let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { client, group, interval })
    }

    /// Pushes until `stop`, then drops the group. A push under way is waited for, so that none comes after
    /// that.
    pub async fn run(self, registry: Registry, stop: CancellationToken) {
        loop {
            let mut pause = self.interval;
            if let Err(error) = self.push(&registry).await {
                tracing::warn!(error = format!("{error:#}"), "the metrics could not be pushed");
                pause = pause.min(RETRY);
            }
            if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                break;
            }
        }
        if let Err(error) = self.client.delete(self.group.clone()).send().await {
            tracing::warn!(%error, "the pushed metrics could not be dropped");
        }
    }

    async fn push(&self, registry: &Registry) -> anyhow::Result<()> {
        let request = self.client.put(self.group.clone()).header(CONTENT_TYPE, TEXT_FORMAT);
        request.body(encode(registry)?).send().await?.error_for_status()?;
        Ok(())
    }
}
