//! Traces for an OpenTelemetry collector, when there is one: OTLP over HTTP, in protobuf
//! (<https://opentelemetry.io/docs/specs/otlp/>).
//!
//! Spans wait in a bounded queue, and a thread of the SDK sends them in batches. Were the collector slow
//! or away, further spans would be dropped; no request waits for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider};
use reqwest::redirect::Policy;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::span::{SAMPLE_RATIO, TRACER};
use config::TracesConfig;

/// Spans that may wait.
const QUEUE: usize = 8192;
/// From one batch to the next at most.
const EVERY: Duration = Duration::from_secs(2);
/// For one batch.
const DEADLINE: Duration = Duration::from_secs(5);
/// For those that still wait when the process ends.
const FAREWELL: Duration = Duration::from_secs(5);

/// The traces of this process, from when they began.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Begins to collect spans, if `config` names a collector. Once in a process, within its runtime.
    ///
    /// # Errors
    /// When the endpoint cannot be used.
    pub fn begin(config: &TracesConfig, node_id: u16) -> anyhow::Result<Self> {
        if config.endpoint.is_empty() {
            return Ok(Self(None));
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new()?)
            .with_endpoint(format!("{}/v1/traces", config.endpoint))
            .with_timeout(DEADLINE)
            .build()
            .context("traces.endpoint")?;
        let batches =
            BatchConfigBuilder::default().with_max_queue_size(QUEUE).with_scheduled_delay(EVERY).build();
        let ratio = Sampler::TraceIdRatioBased(config.sample_ratio);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            .with_sampler(Sampler::ParentBased(Box::new(ratio)))
            .with_resource(resource(config, node_id))
            .build();
        SAMPLE_RATIO.get_or_init(|| config.sample_ratio);
        TRACER.set(provider.tracer("liveloom")).map_err(|_| anyhow::anyhow!("traces have begun already"))?;
        Ok(Self(Some(provider)))
    }

    /// Sends what still waits, for at most five seconds.
    pub async fn finish(self) {
        let Some(provider) = self.0 else { return };
        // The SDK waits on its own thread for a call that this runtime makes.
        let ended = spawn_blocking(move || provider.shutdown_with_timeout(FAREWELL)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last spans could not be sent");
        }
    }
}

fn resource(config: &TracesConfig, node_id: u16) -> Resource {
    Resource::builder()
        .with_service_name(config.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", node_id.to_string()))
        .build()
}

/// Posts batches. The SDK's thread has no runtime: each call is a task of the server's.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    runtime: Handle,
    is_failing: AtomicBool,
}

impl Collector {
    fn new() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().redirect(Policy::none()).timeout(DEADLINE).build()?;
        Ok(Self { client, runtime: Handle::current(), is_failing: AtomicBool::new(false) })
    }

    /// Tells once that it does not work, and once that it works again.
    fn note(&self, failure: Option<String>) {
        let is_failing = failure.is_some();
        match (self.is_failing.swap(is_failing, Ordering::Relaxed), failure) {
            (false, Some(error)) => tracing::warn!(error, "spans cannot be sent, and are dropped"),
            (true, None) => tracing::info!("spans are sent again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let posted = self.runtime.spawn(async move {
            let response = client.execute(request.try_into()?).await?;
            let status = response.status();
            // An answer may tell of spans that were not taken; nobody here would do anything about it.
            Ok::<_, reqwest::Error>(status)
        });
        let status = posted.await?.map_err(reqwest::Error::without_url);
        self.note(match &status {
            Ok(status) if status.is_success() => None,
            Ok(status) => Some(format!("HTTP status {}", status.as_u16())),
            Err(error) => Some(format!("{:#}", anyhow::Error::msg(error.to_string()))),
        });
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status?;
        Ok(response)
    }
}
