//! What a worker thread does: hands messages on, as the dispatcher tells it, and looks after its
//! connections.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::channel::{Channel, Kind};
use super::connection::Closing;
use super::dispatcher::Command;
use super::error::HubError;
use super::frame;
use super::keep_alive::{Due, KeepAlive};
use super::local::LocalHub;
use common::supervise;
use store::broker::Position;

/// How often connections are looked after.
const TICK: Duration = Duration::from_secs(1);
/// How long a channel without subscribers is heard on, since many come back.
const LINGER: Duration = Duration::from_secs(10);
/// From one group of connections that are closed by a shutdown to the next.
const DRAIN_STEP: Duration = Duration::from_millis(50);
/// Events taken from the dispatcher at once.
const BATCH: usize = 256;

/// What a worker is told.
#[derive(Clone)]
pub(super) enum ToWorker {
    /// A channel is heard from here on.
    Opened(Arc<str>, Position),
    /// A channel cannot be heard.
    Failed(Arc<str>, HubError),
    /// The next message of a channel.
    Message(Arc<str>, Position, Bytes),
    /// Messages before this position may be missing.
    Lost(Arc<str>, Position, Option<Bytes>),
    /// A message for one barrage connection, wherever it is.
    Direct(u64, Bytes),
    /// A user must not follow a channel any more.
    Unsubscribe { channel: Arc<str>, user_id: Arc<str>, code: u16, reason: Arc<str> },
    /// A user must not be connected any more.
    Disconnect(Arc<str>),
    /// All connections are to be closed, spread over this time.
    Drain(Duration),
}

impl LocalHub {
    pub(super) async fn follow(self, mut events: mpsc::Receiver<ToWorker>) {
        let mut batch = Vec::with_capacity(BATCH);
        self.open_node_channel();
        while events.recv_many(&mut batch, BATCH).await > 0 {
            for event in batch.drain(..) {
                self.take(event);
            }
            // The connections' tasks write what they got before the next batch.
            tokio::task::yield_now().await;
        }
    }

    /// What is meant for a connection of this node comes by a channel of the node's own.
    fn open_node_channel(&self) {
        let inner = &self.0;
        let node = Channel::new(Kind::Node, &inner.hub.node_id().to_string());
        inner.hub.command(Command::Open(inner.worker, node));
    }

    fn take(&self, event: ToWorker) {
        match event {
            ToWorker::Opened(name, position) => self.opened(&name, position),
            ToWorker::Failed(name, error) => self.failed(&name, &error),
            ToWorker::Message(name, position, frame) => self.fan_out(&name, position, &frame),
            ToWorker::Lost(name, position, frame) => self.lost(&name, position, frame.as_ref()),
            ToWorker::Direct(client_id, frame) => {
                if let Some(connection) = self.0.by_id.borrow().get(&client_id) {
                    connection.push(frame);
                }
            }
            ToWorker::Unsubscribe { channel, user_id, code, reason } => {
                for connection in self.of_user(&user_id) {
                    self.end_subscription(&connection, &channel, code, &reason);
                }
            }
            ToWorker::Disconnect(user_id) => {
                self.of_user(&user_id).iter().for_each(|connection| connection.close_now(Closing::BANNED));
            }
            ToWorker::Drain(window) => {
                supervise::spawn_local("connections", self.clone().drain(window));
            }
        }
    }

    fn opened(&self, name: &Arc<str>, position: Position) {
        if let Some(followed) = self.0.channels.borrow_mut().get_mut(name) {
            followed.position = Some(position);
            if followed.subscribers.is_empty() {
                followed.empty_since = Some(Instant::now());
            }
            // One who does not wait any more has gone.
            followed.waiting.drain(..).for_each(|waiting| _ = waiting.send(Ok(())));
        }
    }

    fn failed(&self, name: &Arc<str>, error: &HubError) {
        if let Some(followed) = self.0.channels.borrow_mut().remove(name) {
            followed.waiting.into_iter().for_each(|waiting| _ = waiting.send(Err(error.clone())));
        } else if name.starts_with("node:") {
            let local = self.clone();
            supervise::spawn_local("connections", async move {
                sleep(TICK).await;
                local.open_node_channel();
            });
        }
    }

    fn fan_out(&self, name: &Arc<str>, position: Position, frame: &Bytes) {
        let mut channels = self.0.channels.borrow_mut();
        let Some(followed) = channels.get_mut(name) else { return };
        followed.position = Some(position);
        let metrics = self.0.hub.metrics();
        for (_, subscriber) in &mut followed.subscribers {
            if let Some(held) = &mut subscriber.held {
                held.push((position.offset, frame.clone()));
            } else if position.offset > subscriber.after && !subscriber.connection.push(frame.clone()) {
                metrics.dropped.with_label_values(&["slow"]).inc();
            }
        }
        metrics.delivered.inc_by(u64::try_from(followed.subscribers.len()).unwrap_or_default());
    }

    fn lost(&self, name: &Arc<str>, position: Position, frame: Option<&Bytes>) {
        let mut channels = self.0.channels.borrow_mut();
        let Some(followed) = channels.get_mut(name) else { return };
        followed.position = Some(position);
        for (_, subscriber) in &mut followed.subscribers {
            subscriber.after = 0;
            let Some(frame) = frame else { continue };
            match &mut subscriber.held {
                Some(held) => held.push((u64::MAX, frame.clone())),
                None => _ = subscriber.connection.push(frame.clone()),
            }
        }
    }

    async fn drain(self, window: Duration) {
        let steps = (window.as_millis() / DRAIN_STEP.as_millis()).max(1);
        for step in 0..steps {
            let left = self.connections();
            let left: Vec<_> = left.iter().filter(|connection| !connection.is_closing()).collect();
            let share = left.len().div_ceil(usize::try_from(steps - step).unwrap_or(1));
            left.iter().take(share).for_each(|connection| connection.close(Closing::SHUTDOWN));
            sleep(DRAIN_STEP).await;
        }
    }

    /// Asks whether peers are there, and closes those that are not, whose token has ended, or whose
    /// channel nobody wants.
    pub(super) async fn look_after(self) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ping = frame::ping();
        let mut keep_alive = KeepAlive::new(self.now());
        loop {
            tick.tick().await;
            keep_alive.tick(self.now());
            let wall = self.0.hub.clock().now().timestamp();
            for (_, connection) in self.0.connections.borrow().iter() {
                match keep_alive.due(connection, wall) {
                    Due::Nothing => {}
                    Due::Ping => _ = connection.push(ping.clone()),
                    // A peer that sends nothing reads nothing either.
                    Due::Close(Closing::SILENT) => connection.close_now(Closing::SILENT),
                    Due::Close(closing) => connection.close(closing),
                }
            }
            self.close_idle();
        }
    }

    fn close_idle(&self) {
        let inner = &self.0;
        inner.channels.borrow_mut().retain(|name, followed| {
            let is_idle = followed.subscribers.is_empty()
                && followed.waiting.is_empty()
                && followed.empty_since.is_some_and(|since| since.elapsed() >= LINGER);
            if is_idle {
                inner.hub.command(Command::Close(inner.worker, Arc::clone(name)));
            }
            !is_idle
        });
    }
}
