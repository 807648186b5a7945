//! The state of every subscription of this node. See `subscriptions.rs`, which drives it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::subscriber_connection::{Change, Common, ConnectionEvent, SubscriberConnection};
use super::subscriptions::Command;
use crate::redis::connector::Addr;
use crate::redis::slot_map::SlotMap;
use crate::shard::{SHARDS, shard_of};

/// How far a subscription is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// To be asked for, as soon as its connection is up.
    Wanted,
    Requested,
    Confirmed,
}

/// A channel that is wanted.
struct Channel {
    state: State,
    /// It was confirmed once: it is kept until it is left.
    is_kept: bool,
    /// It was confirmed, and lost.
    is_interrupted: bool,
    /// It was lost or refused, and is not confirmed since.
    is_missed: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

/// All that is known. Nothing in it waits.
pub(super) struct Subscriber {
    common: Common,
    events: mpsc::UnboundedSender<(u64, ConnectionEvent)>,
    channels: HashMap<Arc<str>, Channel>,
    connections: HashMap<Addr, SubscriberConnection>,
    opened: u64,
    /// Where each shard is served.
    places: Option<Vec<Option<Addr>>>,
    /// What may be asked for now.
    due: Vec<Arc<str>>,
    left: Vec<Arc<str>>,
    refused: Vec<Arc<str>>,
    interrupted: Vec<Arc<str>>,
    /// How many channels are missed.
    missed: usize,
    has_doubt: bool,
}

impl Subscriber {
    pub(super) fn new(common: Common, events: mpsc::UnboundedSender<(u64, ConnectionEvent)>) -> Self {
        Self {
            common,
            events,
            channels: HashMap::new(),
            connections: HashMap::new(),
            opened: 0,
            places: None,
            due: Vec::new(),
            left: Vec::new(),
            refused: Vec::new(),
            interrupted: Vec::new(),
            missed: 0,
            has_doubt: false,
        }
    }

    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::Subscribe { channel, anew, told } => self.subscribe(channel, anew, told),
            Command::Unsubscribe { channel } => self.unsubscribe(&channel),
            Command::Abandon { channel } => {
                let is_given_up =
                    |known: &Channel| !known.is_kept && known.waiting.iter().all(oneshot::Sender::is_closed);
                if self.channels.get(&channel).is_some_and(is_given_up) {
                    self.unsubscribe(&channel);
                }
            }
        }
        self.common.metrics.subscriptions.set(i64::try_from(self.channels.len()).unwrap_or(i64::MAX));
    }

    fn subscribe(&mut self, channel: Arc<str>, anew: bool, told: oneshot::Sender<()>) {
        let known = self.channels.entry(channel.clone()).or_insert_with(|| Channel {
            state: State::Wanted,
            is_kept: false,
            is_interrupted: false,
            is_missed: false,
            waiting: Vec::new(),
        });
        if known.state == State::Confirmed && !anew {
            // Fails only when nobody waits any more.
            let _ = told.send(());
            return;
        }
        known.waiting.push(told);
        if known.state != State::Requested || anew {
            known.state = State::Wanted;
            // It may be served elsewhere by now.
            self.has_doubt |= anew;
            self.due.push(channel);
        }
    }

    fn unsubscribe(&mut self, channel: &Arc<str>) {
        let Some(known) = self.channels.remove(channel) else { return };
        self.missed -= usize::from(known.is_missed);
        if known.state != State::Wanted || known.is_kept {
            self.left.push(channel.clone());
        }
    }

    /// Something happened at the connection of that number.
    pub(super) fn on_event(&mut self, number: u64, event: ConnectionEvent) {
        let Some((addr, connection)) =
            self.connections.iter_mut().find(|(_, connection)| connection.number == number)
        else {
            return;
        };
        let addr = addr.clone();
        match event {
            ConnectionEvent::Up => {
                connection.is_up = true;
                self.lose(|place| place == Some(&addr));
            }
            ConnectionEvent::Down => {
                connection.is_up = false;
                self.has_doubt = true;
                self.lose(|place| place == Some(&addr));
            }
            ConnectionEvent::Confirmed(channel) if self.place_of(&channel) == Some(&addr) => {
                self.confirm(&channel);
            }
            ConnectionEvent::Refused(channels) => {
                self.has_doubt = true;
                let here = channels.into_iter().filter(|channel| self.place_of(channel) == Some(&addr));
                let here: Vec<_> = here.collect();
                here.iter().for_each(|channel| self.want_again(channel));
                self.refused.extend(here);
            }
            ConnectionEvent::Gone(channel) if self.place_of(&channel) == Some(&addr) => {
                self.has_doubt = true;
                self.want_again(&channel);
                self.due.push(channel);
            }
            ConnectionEvent::Confirmed(_) | ConnectionEvent::Gone(_) => {}
        }
    }

    fn confirm(&mut self, channel: &Arc<str>) {
        // A subscription that was left and made anew has another name, of the same text.
        let name = self.channels.get_key_value(channel).map(|(name, _)| name);
        if !name.is_some_and(|name| Arc::ptr_eq(name, channel)) {
            return;
        }
        let Some(known) = self.channels.get_mut(channel) else { return };
        known.state = State::Confirmed;
        known.is_kept = true;
        self.missed -= usize::from(std::mem::take(&mut known.is_missed));
        if std::mem::take(&mut known.is_interrupted) {
            self.common.metrics.interrupted.inc();
            self.interrupted.push(channel.clone());
        }
        for told in known.waiting.drain(..) {
            let _ = told.send(());
        }
    }

    fn want_again(&mut self, channel: &Arc<str>) {
        if let Some(known) = self.channels.get_mut(channel) {
            known.state = State::Wanted;
            known.is_interrupted = known.is_kept;
            self.missed += usize::from(!std::mem::replace(&mut known.is_missed, true));
        }
    }

    /// The channels at these places are not heard, and are to be asked for again.
    fn lose(&mut self, is_lost: impl Fn(Option<&Addr>) -> bool) {
        let lost: Vec<Arc<str>> =
            self.channels.keys().filter(|channel| is_lost(self.place_of(channel))).cloned().collect();
        lost.iter().for_each(|channel| self.want_again(channel));
        self.due.extend(lost);
    }

    fn place_of(&self, channel: &str) -> Option<&Addr> {
        self.places.as_ref()?.get(usize::from(shard_of(channel)))?.as_ref()
    }

    pub(super) fn is_placed(&self) -> bool {
        self.places.is_some()
    }

    /// The shards are served where the slot map says.
    pub(super) fn place(&mut self, slot_map: &SlotMap) {
        let places: Vec<Option<Addr>> =
            (0..SHARDS).map(|shard| slot_map.master_of(&self.common.keys.tag(shard)).cloned()).collect();
        let former = self.places.replace(places.clone()).unwrap_or_default();
        for addr in places.iter().flatten() {
            if !self.connections.contains_key(addr) {
                self.opened += 1;
                let connection = SubscriberConnection::open(
                    self.common.clone(),
                    addr.clone(),
                    self.opened,
                    self.events.clone(),
                );
                self.connections.insert(addr.clone(), connection);
            }
        }
        self.move_from(&former);
        self.connections.retain(|addr, _| places.iter().flatten().any(|place| place == addr));
    }

    /// Asks again for what was served elsewhere formerly.
    fn move_from(&mut self, former: &[Option<Addr>]) {
        let mut moved: BTreeMap<(&Addr, u16), Vec<Arc<str>>> = BTreeMap::new();
        let mut due = Vec::new();
        for channel in self.channels.keys() {
            let shard = shard_of(channel);
            let was = former.get(usize::from(shard)).and_then(Option::as_ref);
            if was != self.place_of(channel) {
                due.push(channel.clone());
                if let Some(was) = was {
                    moved.entry((was, shard)).or_default().push(channel.clone());
                }
            }
        }
        for ((addr, _), channels) in moved {
            if let Some(connection) = self.connections.get(addr).filter(|connection| connection.is_up) {
                connection.change(Change::Unsubscribe, &channels);
            }
        }
        due.iter().for_each(|channel| self.want_again(channel));
        self.due.extend(due);
    }

    /// Tells the connections what is due.
    pub(super) fn send_changes(&mut self) {
        let left = std::mem::take(&mut self.left);
        self.change(Change::Unsubscribe, left);
        let mut due = std::mem::take(&mut self.due);
        due.retain_mut(|channel| self.begin_to_ask(channel));
        self.change(Change::Subscribe, due);
    }

    /// Whether it is time to ask for this channel, whose present name is put in.
    fn begin_to_ask(&mut self, channel: &mut Arc<str>) -> bool {
        let connection = self.place_of(channel).and_then(|addr| self.connections.get(addr));
        let is_up = connection.is_some_and(|connection| connection.is_up);
        let Some((name, _)) = self.channels.get_key_value(channel) else { return false };
        *channel = name.clone();
        let known = self.channels.get_mut(channel).filter(|known| is_up && known.state == State::Wanted);
        known.map(|known| known.state = State::Requested).is_some()
    }

    /// Gives a change to the connections of these channels, those of a shard together.
    fn change(&self, of: fn(Vec<Arc<str>>) -> Change, channels: Vec<Arc<str>>) {
        let mut together: BTreeMap<(&Addr, u16), Vec<Arc<str>>> = BTreeMap::new();
        for channel in channels {
            // A command to a single server may name channels of any slot.
            let shard = if self.common.is_sharded { shard_of(&channel) } else { 0 };
            if let Some(addr) = self.place_of(&channel) {
                together.entry((addr, shard)).or_default().push(channel);
            }
        }
        for ((addr, _), channels) in together {
            if let Some(connection) = self.connections.get(addr).filter(|connection| connection.is_up) {
                connection.change(of, &channels);
            }
        }
    }

    /// Whether every server that is needed is listened to, and no channel is missed.
    pub(super) fn is_complete(&self) -> bool {
        let is_up = |place: &Option<Addr>| {
            place
                .as_ref()
                .and_then(|addr| self.connections.get(addr))
                .is_some_and(|connection| connection.is_up)
        };
        self.missed == 0 && self.places.as_ref().is_some_and(|places| places.iter().all(is_up))
    }

    pub(super) fn has_refused(&self) -> bool {
        !self.refused.is_empty()
    }

    /// What was refused is due again.
    pub(super) fn retry(&mut self) {
        self.due.append(&mut self.refused);
    }

    /// Whether the slot map may have changed, as far as is known since this was asked last.
    pub(super) fn take_doubt(&mut self) -> bool {
        std::mem::take(&mut self.has_doubt)
    }

    pub(super) fn has_interrupted(&self) -> bool {
        !self.interrupted.is_empty()
    }

    pub(super) fn take_interrupted(&mut self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.interrupted)
    }
}
