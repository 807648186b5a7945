//! The hub's part on one worker thread: its connections, and which of them follow what. What it is told
//! is in `worker.rs`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use slab::Slab;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::channel::Channel;
use super::connection::{Connection, Login, Subscription};
use super::dispatcher::{Command, WorkerId};
use super::error::HubError;
use super::service::Hub;
use super::worker::ToWorker;
use super::{frame, message};
use common::supervise;
use store::broker::Position;

/// One who follows a channel.
pub(super) struct Subscriber {
    pub(super) connection: Rc<Connection>,
    /// Messages up to here are not for them: they have them.
    pub(super) after: u64,
    /// What came while the answer to their subscription is not sent.
    pub(super) held: Option<Vec<(u64, Bytes)>>,
}

/// A channel that connections of this worker follow, or did a moment ago.
#[derive(Default)]
pub(super) struct Followed {
    /// The last message that this worker handed on, once the channel is heard.
    pub(super) position: Option<Position>,
    /// Who waits until it is heard.
    pub(super) waiting: Vec<oneshot::Sender<Result<(), HubError>>>,
    pub(super) subscribers: Slab<Subscriber>,
    pub(super) empty_since: Option<Instant>,
}

/// The hub's part on one worker thread; clones share it.
#[derive(Clone)]
pub struct LocalHub(pub(super) Rc<Inner>);

pub(super) struct Inner {
    pub(super) hub: Hub,
    pub(super) worker: WorkerId,
    started: Instant,
    pub(super) channels: RefCell<HashMap<Arc<str>, Followed>>,
    pub(super) connections: RefCell<Slab<Rc<Connection>>>,
    /// Those that may be sent something by their client id: the barrage ones.
    pub(super) by_id: RefCell<HashMap<u64, Rc<Connection>>>,
    /// Those of each user.
    by_user: RefCell<HashMap<Arc<str>, Vec<Rc<Connection>>>>,
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
    pub(super) fn label(self) -> &'static str {
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
        if let Some(user_id) = self.connection.user_id() {
            let mut by_user = inner.by_user.borrow_mut();
            if let Some(theirs) = by_user.get_mut(&user_id) {
                theirs.retain(|other| !Rc::ptr_eq(other, &self.connection));
                if theirs.is_empty() {
                    by_user.remove(&user_id);
                }
            }
        }
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
            by_user: RefCell::default(),
        };
        let local = Self(Rc::new(inner));
        // The dispatcher holds the sender, and so these end with it.
        supervise::spawn_local("connections", local.clone().follow(events));
        supervise::spawn_local("connections", local.clone().look_after());
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

    /// A connection came with a token, its first or one of the same user. It stays that user's.
    pub fn authenticate(&self, connection: &Rc<Connection>, login: Login) {
        let (is_new, user_id) = (connection.user_id().is_none(), Arc::clone(&login.user_id));
        connection.authenticate(login);
        if is_new {
            let mut by_user = self.0.by_user.borrow_mut();
            by_user.entry(user_id).or_default().push(Rc::clone(connection));
        }
    }

    /// The users who are connected to this worker.
    #[must_use]
    pub fn users(&self) -> Vec<Arc<str>> {
        self.0.by_user.borrow().keys().cloned().collect()
    }

    /// The connections of a user.
    #[must_use]
    pub fn of_user(&self, user_id: &str) -> Vec<Rc<Connection>> {
        self.0.by_user.borrow().get(user_id).cloned().unwrap_or_default()
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
}

fn slot_of(connection: &Connection, channel: &str) -> Option<usize> {
    let subscriptions = connection.subscriptions.borrow();
    subscriptions.iter().find(|subscription| &*subscription.channel == channel).map(|found| found.slot)
}
