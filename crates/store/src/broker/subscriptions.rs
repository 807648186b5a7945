//! The channels that this node hears from Redis, wherever they are served at the moment.
//!
//! One task knows the state of every subscription. It has a connection (an ear) to the server, or
//! to each master of a cluster, follows changes of the layout, and repeats what was lost or
//! refused until it is confirmed or not wanted any more. What arrives while it works is done
//! together: many subscriptions are one command.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::Result;
use super::ear::{Common, News};
use super::error::BrokerError;
use super::subscriber::Subscriber;
use super::types::Heard;
use crate::redis::layout::Layout;
use crate::redis::link::DEADLINE;
use crate::redis::remote::Remote;
use crate::redis::trouble::Trouble;
use common::supervise;

/// How much is done together at most.
const BATCH: usize = 1024;
/// The pause before what was refused is tried again.
const RETRY: Duration = Duration::from_millis(50);

/// What is wanted.
#[derive(Debug)]
pub(super) enum Wish {
    /// To hear a channel; told when it is confirmed. Anew: even if it was confirmed before.
    Hear { channel: Arc<str>, anew: bool, told: oneshot::Sender<()> },
    /// Not to hear it any more.
    Leave { channel: Arc<str> },
    /// Whoever wanted to hear it may have given up.
    GiveUp { channel: Arc<str> },
}

/// The subscriptions of this node; they end when this is dropped.
pub(super) struct Subscriptions {
    wishes: mpsc::UnboundedSender<Wish>,
    trouble: Arc<Trouble>,
    keeper: JoinHandle<()>,
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Subscriptions {
    /// Starts to connect to what `remote` knows.
    pub(super) fn start(common: Common, remote: Arc<Remote>) -> Self {
        let (wishes, wished) = mpsc::unbounded_channel();
        let trouble = Arc::new(Trouble::none());
        let keeper = supervise::spawn("subscriptions", keep(common, remote, wished, Arc::clone(&trouble)));
        Self { wishes, trouble, keeper }
    }

    /// For how long not everything has been heard that should be.
    pub(super) fn deaf_for(&self) -> Option<Duration> {
        self.trouble.lasting()
    }

    /// Subscribes, within the deadline of a call.
    pub(super) async fn hear(&self, channel: &str, anew: bool) -> Result<()> {
        let channel: Arc<str> = channel.into();
        let (told, confirmed) = oneshot::channel();
        // A caller that goes away before the end gives up too.
        let _guard = GiveUp { wishes: &self.wishes, channel: channel.clone() };
        let _ = self.wishes.send(Wish::Hear { channel, anew, told });
        match timeout(DEADLINE, confirmed).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(BrokerError::Unconfirmed),
        }
    }

    /// Unsubscribes, in the background.
    pub(super) fn leave(&self, channel: &str) {
        let _ = self.wishes.send(Wish::Leave { channel: channel.into() });
    }
}

/// Gives up a subscription that nobody waits for any more, unless it was confirmed.
struct GiveUp<'a> {
    wishes: &'a mpsc::UnboundedSender<Wish>,
    channel: Arc<str>,
}

impl Drop for GiveUp<'_> {
    fn drop(&mut self) {
        let _ = self.wishes.send(Wish::GiveUp { channel: self.channel.clone() });
    }
}

async fn keep(
    common: Common,
    remote: Arc<Remote>,
    mut wishes: mpsc::UnboundedReceiver<Wish>,
    trouble: Arc<Trouble>,
) {
    let mut layout: watch::Receiver<Arc<Layout>> = remote.layout();
    let heard = common.heard.clone();
    let (sender, mut news) = mpsc::unbounded_channel::<(u64, News)>();
    let mut subscriber = Subscriber::new(common, sender);
    let (mut wished, mut told) = (Vec::new(), Vec::new());
    let mut retry_at = None;
    loop {
        let interrupted = subscriber.has_interrupted();
        tokio::select! {
            count = wishes.recv_many(&mut wished, BATCH) => {
                if count == 0 {
                    return;
                }
                wished.drain(..).for_each(|wish| subscriber.wish(wish));
            }
            _ = news.recv_many(&mut told, BATCH) => {
                told.drain(..).for_each(|(ear, news)| subscriber.learn(ear, news));
            }
            // At first the layout counts as seen, but may be known already.
            changed = layout.changed(), if subscriber.is_placed() => {
                if changed.is_err() {
                    return;
                }
                subscriber.place(&layout.borrow_and_update().clone());
            }
            () = std::future::ready(()), if !subscriber.is_placed() => {
                subscriber.place(&layout.borrow_and_update().clone());
            }
            () = sleep_until(retry_at.unwrap_or_else(Instant::now)), if retry_at.is_some() => {
                retry_at = None;
                subscriber.retry();
            }
            permit = heard.reserve(), if interrupted => {
                let Ok(permit) = permit else { return };
                permit.send(Heard::Interrupted { channels: subscriber.take_interrupted() });
            }
        }
        subscriber.give_orders();
        if subscriber.take_doubt() {
            remote.doubt_layout();
        }
        if subscriber.has_refused() && retry_at.is_none() {
            retry_at = Some(Instant::now() + RETRY);
        }
        trouble.note(subscriber.hears_all());
    }
}
