//! The hub's part on one worker thread: its connections, and which of them follow what.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use slab::Slab;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_local;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::channel::{Channel, Kind};
use super::connection::{Closing, Connection, Subscription};
use super::dispatcher::{Command, WorkerId};
use super::error::HubError;
use super::service::Hub;
use super::{frame, message};
use crate::store::broker::Position;

/// How often connections are looked after.
const TICK: Duration = Duration::from_secs(1);
/// From one question whether a peer is there to the next.
pub const PING_EVERY: Duration = Duration::from_secs(25);
/// A tick that comes so late says that the machine was busy, and nothing about peers.
const STANDSTILL: Duration = Duration::from_secs(5);
/// How long a peer may be silent.
const SILENCE: Duration = Duration::from_secs(35);
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

/// One who follows a channel.
struct Subscriber {
    connection: Rc<Connection>,
    /// Messages up to here are not for them: they have them.
    after: u64,
    /// What came while the answer to their subscription is not sent.
    held: Option<Vec<(u64, Bytes)>>,
}

#[derive(Default)]
struct Followed {
    /// The last message that this worker handed on, once the channel is heard.
    position: Option<Position>,
    waiting: Vec<oneshot::Sender<Result<(), HubError>>>,
    subscribers: Slab<Subscriber>,
    empty_since: Option<Instant>,
}

/// The hub's part on one worker thread; clones share it.
#[derive(Clone)]
pub struct LocalHub(Rc<Inner>);

struct Inner {
    hub: Hub,
    worker: WorkerId,
    started: Instant,
    channels: RefCell<HashMap<Arc<str>, Followed>>,
    connections: RefCell<Slab<Rc<Connection>>>,
    /// Those that may be sent something by their client id: the barrage ones.
    by_id: RefCell<HashMap<u64, Rc<Connection>>>,
}

/// Which protocol a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The project's own.
    Native,
    /// CONNMIX's barrage, for viewers.
    Barrage,
    /// CONNMIX's API, for backends.
    Mesh,
}

impl Endpoint {
    /// Its name in metrics.
    fn label(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Barrage => "barrage",
            Self::Mesh => "mesh",
        }
    }
}

/// A connection that is known to the hub until this is dropped.
pub struct Registered {
    local: LocalHub,
    key: usize,
    endpoint: Endpoint,
    connection: Rc<Connection>,
}

impl Registered {
    /// The connection.
    #[must_use]
    pub fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let inner = &self.local.0;
        for channel in self.connection.channels() {
            self.local.unsubscribe(&self.connection, &channel);
        }
        inner.connections.borrow_mut().remove(self.key);
        inner.by_id.borrow_mut().remove(&self.connection.client_id());
        inner.hub.metrics().connections.with_label_values(&[self.endpoint.label()]).dec();
    }
}

impl LocalHub {
    pub(super) fn start(hub: Hub, worker: WorkerId, events: mpsc::Receiver<ToWorker>) -> Self {
        let inner = Inner {
            hub,
            worker,
            started: Instant::now(),
            channels: RefCell::default(),
            connections: RefCell::default(),
            by_id: RefCell::default(),
        };
        let local = Self(Rc::new(inner));
        // The dispatcher holds the sender, and so these end with it.
        spawn_local(local.clone().follow(events));
        spawn_local(local.clone().look_after());
        local
    }

    /// The hub.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// The worker's clock.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// Makes a connection known.
    #[must_use]
    pub fn register(&self, endpoint: Endpoint) -> Registered {
        let inner = &self.0;
        let connection = Rc::new(Connection::new(inner.hub.new_client_id(), self.now()));
        let key = inner.connections.borrow_mut().insert(Rc::clone(&connection));
        if endpoint == Endpoint::Barrage {
            inner.by_id.borrow_mut().insert(connection.client_id(), Rc::clone(&connection));
        }
        inner.hub.metrics().connections.with_label_values(&[endpoint.label()]).inc();
        Registered { local: self.clone(), key, endpoint, connection }
    }

    /// The connections of this worker.
    #[must_use]
    pub fn connections(&self) -> Vec<Rc<Connection>> {
        self.0.connections.borrow().iter().map(|(_, connection)| Rc::clone(connection)).collect()
    }

    /// Lets a connection follow a channel. Nothing of it is sent before [`LocalHub::release`]; answers
    /// the position after which it will be.
    ///
    /// # Errors
    /// The broker's.
    pub async fn subscribe(
        &self,
        connection: &Rc<Connection>,
        channel: &Channel,
    ) -> Result<Position, HubError> {
        loop {
            let waiting = match self.try_subscribe(connection, channel) {
                Ok(position) => return Ok(position),
                Err(waiting) => waiting,
            };
            waiting.await.unwrap_or(Err(HubError::Stopped))?;
        }
    }

    fn try_subscribe(
        &self,
        connection: &Rc<Connection>,
        channel: &Channel,
    ) -> Result<Position, oneshot::Receiver<Result<(), HubError>>> {
        let inner = &self.0;
        let mut channels = inner.channels.borrow_mut();
        let followed = channels.entry(Arc::clone(channel.name())).or_insert_with(|| {
            inner.hub.command(Command::Open(inner.worker, channel.clone()));
            Followed::default()
        });
        let Some(position) = followed.position else {
            let (sender, receiver) = oneshot::channel();
            followed.waiting.push(sender);
            return Err(receiver);
        };
        if connection.follows(channel.name()) {
            return Ok(position);
        }
        let subscriber = Subscriber { connection: Rc::clone(connection), after: 0, held: Some(Vec::new()) };
        let slot = followed.subscribers.insert(subscriber);
        followed.empty_since = None;
        let subscription = Subscription { channel: Arc::clone(channel.name()), slot };
        connection.subscriptions.borrow_mut().push(subscription);
        inner.hub.metrics().subscriptions.inc();
        Ok(position)
    }

    /// Sends a subscriber what came meanwhile, and all that comes from now on, but for messages up to
    /// `after`, which they have.
    pub fn release(&self, connection: &Rc<Connection>, channel: &str, after: u64) {
        let mut channels = self.0.channels.borrow_mut();
        let Some(slot) = slot_of(connection, channel) else { return };
        let subscriber = channels.get_mut(channel).and_then(|followed| followed.subscribers.get_mut(slot));
        let Some(subscriber) = subscriber else { return };
        subscriber.after = after;
        for (offset, frame) in subscriber.held.take().unwrap_or_default() {
            if offset > after {
                connection.push(frame);
            }
        }
    }

    /// Ends a subscription; whether there was one.
    pub fn unsubscribe(&self, connection: &Rc<Connection>, channel: &str) -> bool {
        let mut subscriptions = connection.subscriptions.borrow_mut();
        let Some(index) = subscriptions.iter().position(|subscription| &*subscription.channel == channel)
        else {
            return false;
        };
        let subscription = subscriptions.swap_remove(index);
        let mut channels = self.0.channels.borrow_mut();
        if let Some(followed) = channels.get_mut(channel) {
            followed.subscribers.try_remove(subscription.slot);
            if followed.subscribers.is_empty() {
                followed.subscribers.shrink_to_fit();
                followed.empty_since = Some(Instant::now());
            }
        }
        self.0.hub.metrics().subscriptions.dec();
        true
    }

    async fn follow(self, mut events: mpsc::Receiver<ToWorker>) {
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
                self.expel(&channel, &user_id, code, &reason);
            }
            ToWorker::Disconnect(user_id) => {
                for connection in self.connections() {
                    if connection.user_id().as_deref() == Some(&*user_id) {
                        connection.close_now(Closing::BANNED);
                    }
                }
            }
            ToWorker::Drain(window) => _ = spawn_local(self.clone().drain(window)),
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
            spawn_local(async move {
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

    fn expel(&self, channel: &Arc<str>, user_id: &Arc<str>, code: u16, reason: &str) {
        let theirs: Vec<Rc<Connection>> = {
            let channels = self.0.channels.borrow();
            let Some(followed) = channels.get(channel) else { return };
            let connections = followed.subscribers.iter().map(|(_, subscriber)| &subscriber.connection);
            connections.filter(|connection| connection.user_id().as_ref() == Some(user_id)).cloned().collect()
        };
        for connection in theirs {
            self.end_subscription(&connection, channel, code, reason);
        }
    }

    /// Ends a subscription and tells its connection why.
    pub fn end_subscription(&self, connection: &Rc<Connection>, channel: &str, code: u16, reason: &str) {
        if self.unsubscribe(connection, channel) {
            let mut json = String::from(r#"{"push":{"channel":"#);
            message::push_text(&mut json, channel);
            json.push_str(r#","unsubscribed":{"code":"#);
            json.push_str(&code.to_string());
            json.push_str(r#","message":"#);
            message::push_text(&mut json, reason);
            json.push_str("}}}");
            connection.push(frame::text(&json));
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
    async fn look_after(self) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ping = frame::ping();
        let (mut before, mut patient_until) = (self.now(), Duration::ZERO);
        loop {
            tick.tick().await;
            let (now, wall) = (self.now(), self.0.hub.clock().now().timestamp());
            // What peers sent while the thread stood still is not read yet.
            if now - before > STANDSTILL {
                patient_until = now + (SILENCE - PING_EVERY);
            }
            for (_, connection) in self.0.connections.borrow().iter() {
                if now.saturating_sub(connection.heard()) >= SILENCE && now >= patient_until {
                    connection.close_now(Closing::SILENT);
                } else if connection.expires_at().is_some_and(|end| wall > end) {
                    connection.close(Closing::EXPIRED);
                } else if is_turn(connection.opened(), before, now, PING_EVERY) {
                    connection.push(ping.clone());
                }
            }
            before = now;
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

fn slot_of(connection: &Connection, channel: &str) -> Option<usize> {
    let subscriptions = connection.subscriptions.borrow();
    subscriptions.iter().find(|subscription| &*subscription.channel == channel).map(|found| found.slot)
}

/// Whether something that is due every so often since `opened` became due after `before` and until
/// `now`, however late that is looked at.
#[must_use]
pub fn is_turn(opened: Duration, before: Duration, now: Duration, every: Duration) -> bool {
    let turns = |at: Duration| at.saturating_sub(opened).as_millis() / every.as_millis().max(1);
    turns(now) > turns(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_comes_once_however_late_it_is_looked_for() {
        let (opened, every) = (Duration::from_millis(1700), Duration::from_secs(25));
        for looks in [&[1000, 1000, 1000][..], &[1400, 999, 1001, 2600], &[7000, 300], &[40_000]] {
            let (mut before, mut turns, mut looks) = (opened, 0, looks.iter().cycle());
            while before < opened + every * 40 {
                let now = before + Duration::from_millis(*looks.next().unwrap_or(&1000));
                turns += u32::from(is_turn(opened, before, now, every));
                before = now;
            }
            let due = (before - opened).as_millis() / every.as_millis();
            // Two that fall together are one.
            let seldom = looks.next() == Some(&40_000);
            assert!(u128::from(turns) == due || seldom && u128::from(turns) <= due, "{turns} of {due}");
        }
    }
}
