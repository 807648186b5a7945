//! The hub of a node: publishing, and the way in for worker threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use prometheus::Registry;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::channel::{Channel, Kind};
use super::dispatcher::{Command, Dispatcher};
use super::error::HubError;
use super::local::LocalHub;
use super::message::{Draft, TOMBSTONE};
use super::metrics::HubMetrics;
use super::worker::ToWorker;
use common::clock::SharedClock;
use common::supervise;
use config::RealtimeConfig;
use store::broker::{Broker, History, Incoming, Position, Published, RateLimits};

/// Messages that wait for a worker thread.
const WORKER_QUEUE: usize = 4096;

/// The hub of a node; clones share everything.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    broker: Broker,
    config: RealtimeConfig,
    clock: SharedClock,
    metrics: HubMetrics,
    commands: mpsc::UnboundedSender<Command>,
    workers: AtomicUsize,
    clients: AtomicU64,
    node_id: u16,
    draining: CancellationToken,
    /// Counts the times at which commands to connections may have been missed.
    interruptions: watch::Sender<u64>,
}

impl Hub {
    /// Bits of a client id that count connections of a node; the node's number lies above.
    const CLIENT_BITS: u32 = 42;

    /// A hub over `broker`, which hands what it hears to `heard`. It works on the present runtime.
    ///
    /// # Errors
    /// When a metric is registered already.
    pub fn start(
        broker: Broker,
        heard: mpsc::Receiver<Incoming>,
        config: RealtimeConfig,
        node_id: u16,
        clock: SharedClock,
        registry: &Registry,
    ) -> prometheus::Result<Self> {
        let metrics = HubMetrics::register(registry)?;
        let (commands, asked) = mpsc::unbounded_channel();
        let dispatcher = Dispatcher::new(
            broker.clone(),
            config.clone(),
            Arc::clone(&clock),
            metrics.clone(),
            commands.clone(),
        );
        // It works for as long as the process does.
        supervise::spawn_until("dispatcher", &CancellationToken::new(), dispatcher.run(heard, asked));
        // Ids must not come again when the process starts anew.
        let first = u64::try_from(clock.now_ms()).unwrap_or_default() << 1;
        Ok(Self(Arc::new(Inner {
            broker,
            config,
            clock,
            metrics,
            commands,
            workers: AtomicUsize::new(0),
            clients: AtomicU64::new(first),
            node_id,
            draining: CancellationToken::new(),
            interruptions: watch::Sender::new(0),
        })))
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &RealtimeConfig {
        &self.0.config
    }

    /// The node's number.
    #[must_use]
    pub fn node_id(&self) -> u16 {
        self.0.node_id
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.0.clock
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &HubMetrics {
        &self.0.metrics
    }

    /// Publishes a message in the channel of a room or a user; answers its place.
    ///
    /// # Errors
    /// [`HubError::TooFast`] when `limits` do not allow it, or the broker's; then it may have been
    /// published all the same.
    pub async fn publish(
        &self,
        channel: &Channel,
        draft: &Draft<'_>,
        limits: RateLimits<'_>,
    ) -> Result<Position, HubError> {
        self.publish_body(channel, draft.body().as_bytes(), limits).await.map(|(position, _)| position)
    }

    /// Publishes a body as [`super::message::raw`] makes it; answers its place, and how many nodes
    /// heard it.
    ///
    /// # Errors
    /// As [`Hub::publish`].
    pub async fn publish_body(
        &self,
        channel: &Channel,
        body: &[u8],
        limits: RateLimits<'_>,
    ) -> Result<(Position, u32), HubError> {
        let inner = &self.0;
        match inner.broker.publish(channel.name(), body, channel.keep(&inner.config), limits).await? {
            Published::At { position, nodes } => {
                inner.metrics.published.inc();
                Ok((position, nodes))
            }
            Published::TooFast { retry_after } => {
                inner.metrics.dropped.with_label_values(&["rate"]).inc();
                Err(HubError::TooFast(retry_after))
            }
        }
    }

    /// Sends a body as [`super::message::raw`] makes it to one barrage connection, at whichever node it is;
    /// answers whether that node heard it.
    ///
    /// # Errors
    /// The broker's; then it may have been sent all the same.
    pub async fn send_to(&self, client_id: u64, body: &[u8]) -> Result<bool, HubError> {
        let node = Channel::new(Kind::Node, &Self::node_of(client_id).to_string());
        let body = [&client_id.to_be_bytes(), body].concat();
        let (_, nodes) = self.publish_body(&node, &body, RateLimits::default()).await?;
        Ok(nodes > 0)
    }

    /// What is kept of a channel: the latest `limit` messages, or those after `since`.
    ///
    /// # Errors
    /// The broker's.
    pub async fn history(
        &self,
        channel: &Channel,
        since: Option<Position>,
        limit: usize,
    ) -> Result<History, HubError> {
        Ok(self.0.broker.history(channel.name(), since, limit).await?)
    }

    /// Deletes what a message said, whose place stays; false when it is not kept any more.
    ///
    /// # Errors
    /// The broker's.
    pub async fn delete(&self, channel: &Channel, position: Position) -> Result<bool, HubError> {
        Ok(self.0.broker.replace(channel.name(), position, TOMBSTONE.as_bytes()).await?)
    }

    /// The hub's part on the present worker thread, which is to have one; within a `LocalSet`.
    #[must_use]
    pub fn join(&self) -> LocalHub {
        let worker = self.0.workers.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::channel(WORKER_QUEUE);
        self.command(Command::Join(worker, sender));
        LocalHub::start(self.clone(), worker, receiver)
    }

    /// Takes a user of this node's connections out of a channel.
    pub fn unsubscribe_user(&self, channel: &Channel, user_id: &str, code: u16, reason: &str) {
        self.command(Command::Tell(ToWorker::Unsubscribe {
            channel: Arc::clone(channel.name()),
            user_id: user_id.into(),
            code,
            reason: reason.into(),
        }));
    }

    /// Closes the connections that a user has at this node.
    pub fn disconnect_user(&self, user_id: &str) {
        self.command(Command::Tell(ToWorker::Disconnect(user_id.into())));
    }

    /// Commands to connections may have been missed: whoever watches [`Hub::interruptions`] compares the
    /// connections with the tables.
    pub fn note_interruption(&self) {
        self.0.interruptions.send_modify(|count| *count += 1);
    }

    /// Changes whenever commands to connections may have been missed.
    #[must_use]
    pub fn interruptions(&self) -> watch::Receiver<u64> {
        self.0.interruptions.subscribe()
    }

    /// Closes all connections, spread over `window`, and takes no new ones.
    pub fn drain(&self, window: Duration) {
        self.0.draining.cancel();
        self.command(Command::Tell(ToWorker::Drain(window)));
    }

    /// Whether no new connections are taken.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    pub(super) fn command(&self, command: Command) {
        // The dispatcher ends with the process.
        let _ = self.0.commands.send(command);
    }

    pub(super) fn new_client_id(&self) -> u64 {
        let number = self.0.clients.fetch_add(1, Ordering::Relaxed) & ((1 << Self::CLIENT_BITS) - 1);
        (u64::from(self.0.node_id) << Self::CLIENT_BITS) | number
    }

    /// The node that has the connection `client_id`.
    fn node_of(client_id: u64) -> u64 {
        client_id >> Self::CLIENT_BITS
    }
}
