//! Metrics pushed to a Prometheus Pushgateway.
//!
//! Protocol: `PUT <url>/metrics/job/<job>/instance/<instance>` replaces the group, `DELETE` drops it
//! (<https://github.com/prometheus/pushgateway#api>). With `POST` what a node tells no more, such as what it
//! counted as the leader, would stay in its group. A value that no path can have is sent as `<label>@base64/…`.

use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
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
            .push("metrics")
            .extend(label("job", job))
            .extend(label("instance", instance));
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

/// The two segments of a path that stand for a label. One without text, with a slash, or of dots alone, which the
/// URL would swallow, is encoded; of nothing a single `=` is left.
fn label(name: &str, value: &str) -> [String; 2] {
    if !value.contains('/') && !value.trim_matches('.').is_empty() {
        return [name.to_owned(), value.to_owned()];
    }
    let encoded = if value.is_empty() { "=".to_owned() } else { URL_SAFE.encode(value) };
    [format!("{name}@base64"), encoded]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_a_path_whatever_its_labels_are() {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let group = |job, instance| {
            Pusher::new("http://g:9091/base/", job, instance, TIMEOUT).unwrap().group.to_string()
        };
        let plain = "http://g:9091/base/metrics/job/live/instance/live_1";
        assert_eq!(group("live", "live_1"), plain);
        assert_eq!(group("a b", "ü.x"), "http://g:9091/base/metrics/job/a%20b/instance/%C3%BC.x");
        let encoded = "http://g:9091/base/metrics/job@base64/dGVzdC9saXZl/instance@base64/PT8v";
        assert_eq!(group("test/live", "=?/"), encoded);
        assert_eq!(group("..", ""), "http://g:9091/base/metrics/job@base64/Li4=/instance@base64/=");
    }
}
