//! The channels that this node hears from Redis, wherever they are served at the moment.
//!
//! One task knows the state of every subscription. It has a connection to the server, or to each
//! master of a cluster, follows changes of the slot map, and repeats what was lost or
//! refused until it is confirmed or not wanted any more. What arrives while it works is done
//! together: many subscriptions are one command.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::Result;
use super::error::BrokerError;
use super::subscriber::Subscriber;
use super::subscriber_connection::{Common, ConnectionEvent};
use super::types::Incoming;
use crate::redis::client::Client;
use crate::redis::slot_map::SlotMap;
use crate::redis::supervised::DEADLINE;
use crate::redis::trouble::Trouble;
use common::supervise;

/// How much is done together at most.
const BATCH: usize = 1024;
/// The pause before what was refused is tried again.
const RETRY: Duration = Duration::from_millis(50);

/// What is wanted.
#[derive(Debug)]
pub(super) enum Command {
    /// To hear a channel; told when it is confirmed. Anew: even if it was confirmed before.
    Subscribe { channel: Arc<str>, anew: bool, told: oneshot::Sender<()> },
    /// Not to hear it any more.
    Unsubscribe { channel: Arc<str> },
    /// Whoever wanted to hear it may have given up.
    Abandon { channel: Arc<str> },
}

/// The subscriptions of this node; they end when this is dropped.
pub(super) struct Subscriptions {
    commands: mpsc::UnboundedSender<Command>,
    trouble: Arc<Trouble>,
    keeper: JoinHandle<()>,
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Subscriptions {
    /// Starts to connect to what `client` knows.
    pub(super) fn start(common: Common, client: Arc<Client>) -> Self {
        let (commands, received) = mpsc::unbounded_channel();
        let trouble = Arc::new(Trouble::none());
        let keeper = supervise::spawn("subscriptions", keep(common, client, received, Arc::clone(&trouble)));
        Self { commands, trouble, keeper }
    }

    /// For how long not everything has been heard that should be.
    pub(super) fn incomplete_for(&self) -> Option<Duration> {
        self.trouble.lasting()
    }

    /// Subscribes, within the deadline of a call.
    pub(super) async fn subscribe(&self, channel: &str, anew: bool) -> Result<()> {
        let channel: Arc<str> = channel.into();
        let (told, confirmed) = oneshot::channel();
        // A caller that goes away before the end gives up too.
        let _guard = Abandon { commands: &self.commands, channel: channel.clone() };
        let _ = self.commands.send(Command::Subscribe { channel, anew, told });
        match timeout(DEADLINE, confirmed).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(BrokerError::Unconfirmed),
        }
    }

    /// Unsubscribes, in the background.
    pub(super) fn unsubscribe(&self, channel: &str) {
        let _ = self.commands.send(Command::Unsubscribe { channel: channel.into() });
    }
}

/// Gives up a subscription that nobody waits for any more, unless it was confirmed.
struct Abandon<'a> {
    commands: &'a mpsc::UnboundedSender<Command>,
    channel: Arc<str>,
}

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Abandon { channel: self.channel.clone() });
    }
}

async fn keep(
    common: Common,
    client: Arc<Client>,
    mut commands: mpsc::UnboundedReceiver<Command>,
    trouble: Arc<Trouble>,
) {
    let mut slot_map: watch::Receiver<Arc<SlotMap>> = client.slot_map();
    let heard = common.heard.clone();
    let (sender, mut events) = mpsc::unbounded_channel::<(u64, ConnectionEvent)>();
    let mut subscriber = Subscriber::new(common, sender);
    let (mut received, mut told) = (Vec::new(), Vec::new());
    let mut retry_at = None;
    loop {
        let interrupted = subscriber.has_interrupted();
        tokio::select! {
            count = commands.recv_many(&mut received, BATCH) => {
                if count == 0 {
                    return;
                }
                received.drain(..).for_each(|command| subscriber.command(command));
            }
            _ = events.recv_many(&mut told, BATCH) => {
                told.drain(..).for_each(|(connection, event)| subscriber.on_event(connection, event));
            }
            // At first the slot map counts as seen, but may be known already.
            changed = slot_map.changed(), if subscriber.is_placed() => {
                if changed.is_err() {
                    return;
                }
                subscriber.place(&slot_map.borrow_and_update().clone());
            }
            () = std::future::ready(()), if !subscriber.is_placed() => {
                subscriber.place(&slot_map.borrow_and_update().clone());
            }
            () = sleep_until(retry_at.unwrap_or_else(Instant::now)), if retry_at.is_some() => {
                retry_at = None;
                subscriber.retry();
            }
            permit = heard.reserve(), if interrupted => {
                let Ok(permit) = permit else { return };
                permit.send(Incoming::Interrupted { channels: subscriber.take_interrupted() });
            }
        }
        subscriber.send_changes();
        if subscriber.take_doubt() {
            client.refresh_slot_map();
        }
        if subscriber.has_refused() && retry_at.is_none() {
            retry_at = Some(Instant::now() + RETRY);
        }
        trouble.note(subscriber.is_complete());
    }
}
