//! A connection to one server that hears channels there, replaced when it is lost or hangs.
//!
//! It reads only as fast as what it reads is taken in; meanwhile the server keeps what comes, and
//! cuts the connection when that becomes too much.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::keys::Keys;
use super::listening::Listening;
use super::metrics::Metrics;
use super::types::Heard;
use crate::redis::connector::{Addr, Connector};
use common::supervise;

/// How long an attempt to connect may take in all.
const CONNECT_LIMIT: Duration = Duration::from_millis(700);
/// The pause between attempts to connect.
const PAUSE: Duration = Duration::from_millis(100);
/// How many channels go into one command at most.
const BATCH: usize = 256;

/// What an ear is to do. Of a cluster, all channels of an order are in one slot.
#[derive(Debug)]
pub(super) enum Order {
    Subscribe(Vec<Arc<str>>),
    Unsubscribe(Vec<Arc<str>>),
}

/// What an ear tells.
#[derive(Debug)]
pub(super) enum News {
    /// It is connected, and has subscribed to nothing.
    Up,
    /// The connection was lost, or could not be made.
    Down,
    /// It hears the channel.
    Confirmed(Arc<str>),
    /// The server does not let it hear these.
    Refused(Vec<Arc<str>>),
    /// It does not hear the channel any more, unasked.
    Gone(Arc<str>),
}

/// What all ears share.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) connector: Connector,
    pub(super) keys: Keys,
    pub(super) heard: mpsc::Sender<Heard>,
    pub(super) metrics: Metrics,
    /// Sharded channels of a cluster.
    pub(super) is_sharded: bool,
}

/// An ear; ends when dropped.
pub(super) struct Ear {
    pub(super) number: u64,
    pub(super) is_up: bool,
    orders: mpsc::UnboundedSender<Order>,
    keeper: JoinHandle<()>,
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Ear {
    /// Starts to connect; what the ear tells comes with its number.
    pub(super) fn open(
        common: Common,
        addr: Addr,
        number: u64,
        news: mpsc::UnboundedSender<(u64, News)>,
    ) -> Self {
        let (orders, ordered) = mpsc::unbounded_channel();
        let keeper = supervise::spawn("hearing", keep(common, addr, number, ordered, news));
        Self { number, is_up: false, orders, keeper }
    }

    /// Gives an order. It is lost if the connection is; that is told.
    pub(super) fn order(&self, of: fn(Vec<Arc<str>>) -> Order, channels: &[Arc<str>]) {
        for channels in channels.chunks(BATCH) {
            // Fails only at the end of the process.
            let _ = self.orders.send(of(channels.to_vec()));
        }
    }
}

async fn keep(
    common: Common,
    addr: Addr,
    number: u64,
    mut orders: mpsc::UnboundedReceiver<Order>,
    news: mpsc::UnboundedSender<(u64, News)>,
) {
    loop {
        let connecting = timeout(CONNECT_LIMIT, common.connector.connect_wire(&addr)).await;
        let connected = connecting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let error = match connected {
            Ok(wire) => {
                // What was ordered of the former connection.
                while orders.try_recv().is_ok() {}
                let _ = news.send((number, News::Up));
                let tell = |told| {
                    let _ = news.send((number, told));
                };
                let mut listening = Listening::new(&common, wire, tell);
                let Err(error) = listening.listen(&mut orders).await else { return };
                tracing::warn!(%addr, %error, "the connection that hears channels is replaced");
                error
            }
            Err(error) => error,
        };
        tracing::debug!(%addr, %error, "no connection to hear channels");
        if news.send((number, News::Down)).is_err() {
            return;
        }
        sleep(PAUSE).await;
    }
}
