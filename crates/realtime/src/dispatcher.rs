//! What a node knows of channels, and the way of messages from the broker to the workers.
//!
//! One task owns it all and so needs no lock: it gets what the broker hears, what workers want, and
//! the results of its own questions to the broker, which run beside it.
//!
//! Of each channel it knows the position of the last message that it handed on. A message that is not
//! the next one shows a gap: what lies between is fetched from history while the rest waits, and
//! where history has it no more, subscribers are told. Every few seconds all positions are compared
//! with the broker's, so that a subscription that became silent is found though its connection lives.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::channel::{Channel, Kind};
use super::error::HubError;
use super::message;
use super::metrics::HubMetrics;
use super::worker::ToWorker;
use common::clock::SharedClock;
use common::{crash, supervise};
use config::RealtimeConfig;
use store::broker::{Broker, BrokerError, Epoch, Heard, History, Position, Publication};

/// How often positions are compared with the broker's. A silent subscription shows at the second
/// comparison.
const CHECK_EVERY: Duration = Duration::from_secs(3);
/// The pause before history is asked again that could not be had.
const RETRY: Duration = Duration::from_millis(500);
/// Messages that wait while a gap is closed; what is more is fetched from history later.
const HELD: usize = 10_000;
/// Messages taken from the broker at once.
const BATCH: usize = 256;

/// A worker's number.
pub(super) type WorkerId = usize;

/// What the dispatcher is asked to do, and what its questions to the broker came to.
pub(super) enum Command {
    /// A worker begins to take part; its number is its place among those that did.
    Join(WorkerId, mpsc::Sender<ToWorker>),
    /// A worker has somebody who wants to follow a channel.
    Open(WorkerId, Channel),
    /// A worker has nobody any more who follows a channel.
    Close(WorkerId, Arc<str>),
    /// All workers are to know.
    Tell(ToWorker),
    Subscribed(Arc<str>, Result<Position, BrokerError>),
    Fetched(Arc<str>, Position, Result<History, BrokerError>),
    Checked(Vec<(Arc<str>, Option<Position>)>),
}

enum State {
    /// The broker is being asked to be heard.
    Opening,
    /// Everything up to here was handed on.
    Live(Position),
    /// Everything up to here was handed on, and what follows is being fetched.
    Recovering(Position),
}

struct Followed {
    channel: Channel,
    state: State,
    workers: Vec<WorkerId>,
    /// What came while the state was not live.
    held: VecDeque<(Epoch, Publication)>,
    /// Where the broker was at the last comparison, when this node was not that far.
    behind: Option<Position>,
}

pub(super) struct Dispatcher {
    broker: Broker,
    config: RealtimeConfig,
    clock: SharedClock,
    metrics: HubMetrics,
    commands: mpsc::UnboundedSender<Command>,
    workers: HashMap<WorkerId, mpsc::Sender<ToWorker>>,
    channels: HashMap<Arc<str>, Followed>,
    is_checking: bool,
}

impl Dispatcher {
    pub(super) fn new(
        broker: Broker,
        config: RealtimeConfig,
        clock: SharedClock,
        metrics: HubMetrics,
        commands: mpsc::UnboundedSender<Command>,
    ) -> Self {
        let (workers, channels) = (HashMap::new(), HashMap::new());
        Self { broker, config, clock, metrics, commands, workers, channels, is_checking: false }
    }

    /// Works until the broker is gone.
    pub(super) async fn run(
        mut self,
        mut heard: mpsc::Receiver<Heard>,
        mut asked: mpsc::UnboundedReceiver<Command>,
    ) {
        let mut check = interval(CHECK_EVERY);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                command = asked.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => return,
                },
                count = heard.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    crash::point("hub.heard");
                    for heard in batch.drain(..) {
                        self.hear(heard).await;
                    }
                }
                _ = check.tick() => self.check(),
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Join(worker, sender) => _ = self.workers.insert(worker, sender),
            Command::Open(worker, channel) => self.open(worker, channel).await,
            Command::Close(worker, name) => self.close(worker, &name).await,
            Command::Tell(what) => {
                for worker in self.workers.values() {
                    tell(worker, what.clone()).await;
                }
            }
            Command::Subscribed(name, result) => self.subscribed(&name, result).await,
            Command::Fetched(name, since, result) => self.fetched(&name, since, result).await,
            Command::Checked(positions) => self.compare(positions),
        }
    }

    async fn open(&mut self, worker: WorkerId, channel: Channel) {
        let name = Arc::clone(channel.name());
        if let Some(followed) = self.channels.get_mut(&name) {
            if !followed.workers.contains(&worker) {
                followed.workers.push(worker);
            }
            if let State::Live(position) | State::Recovering(position) = followed.state {
                self.tell(&[worker], || ToWorker::Opened(Arc::clone(&name), position)).await;
            }
            return;
        }
        let (broker, commands, keep) =
            (self.broker.clone(), self.commands.clone(), channel.keep(&self.config));
        self.channels.insert(
            Arc::clone(&name),
            Followed {
                channel,
                state: State::Opening,
                workers: vec![worker],
                held: VecDeque::new(),
                behind: None,
            },
        );
        self.metrics.channels.inc();
        supervise::spawn("broker questions", async move {
            let position = async {
                broker.subscribe(&name).await?;
                broker.position(&name, keep).await
            };
            let position = position.await;
            let _ = commands.send(Command::Subscribed(name, position));
        });
    }

    async fn close(&mut self, worker: WorkerId, name: &Arc<str>) {
        let Some(followed) = self.channels.get_mut(name) else { return };
        followed.workers.retain(|other| *other != worker);
        // One that is being opened is dropped when that is done.
        if followed.workers.is_empty() && !matches!(followed.state, State::Opening) {
            self.forget(name).await;
        }
    }

    async fn forget(&mut self, name: &Arc<str>) {
        if self.channels.remove(name).is_some() {
            self.metrics.channels.dec();
            self.broker.unsubscribe(name).await;
        }
    }

    async fn subscribed(&mut self, name: &Arc<str>, result: Result<Position, BrokerError>) {
        let Some(followed) = self.channels.get_mut(name) else { return };
        let workers = followed.workers.clone();
        match result {
            Err(error) => {
                tracing::debug!(%error, channel = &**name, "a channel cannot be followed");
                let error = HubError::from(error);
                self.forget(name).await;
                self.tell(&workers, || ToWorker::Failed(Arc::clone(name), error.clone())).await;
            }
            Ok(_) if workers.is_empty() => self.forget(name).await,
            Ok(position) => {
                followed.state = State::Live(position);
                self.tell(&workers, || ToWorker::Opened(Arc::clone(name), position)).await;
                self.go_on(name).await;
            }
        }
    }

    async fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Publication { channel, epoch, publication } => {
                self.next(&channel, epoch, publication).await;
            }
            Heard::Interrupted { channels } => {
                let names = if channels.is_empty() { self.live() } else { channels };
                for name in &names {
                    self.fetch_now(name);
                }
            }
        }
    }

    /// Takes one message of a channel.
    async fn next(&mut self, name: &Arc<str>, epoch: Epoch, publication: Publication) {
        let Some(followed) = self.channels.get_mut(name) else { return };
        let State::Live(position) = followed.state else {
            if followed.held.len() < HELD {
                followed.held.push_back((epoch, publication));
            }
            return;
        };
        if epoch == position.epoch && publication.offset <= position.offset {
            return;
        }
        if epoch == position.epoch && publication.offset == position.offset + 1 {
            self.hand_on(name, epoch, &publication).await;
        } else {
            followed.held.push_back((epoch, publication));
            self.fetch_now(name);
        }
    }

    /// Hands a message to the workers; it is the next one.
    async fn hand_on(&mut self, name: &Arc<str>, epoch: Epoch, publication: &Publication) {
        let Some(followed) = self.channels.get_mut(name) else { return };
        let position = Position { epoch, offset: publication.offset };
        followed.state = match followed.state {
            State::Recovering(_) => State::Recovering(position),
            State::Opening | State::Live(_) => State::Live(position),
        };
        if followed.channel.kind() == Kind::Node {
            let Some((client_id, body)) = publication.body.split_first_chunk::<8>() else { return };
            let (client_id, frame) = (u64::from_be_bytes(*client_id), message::raw_frame(body));
            let workers = followed.workers.clone();
            return self.tell(&workers, || ToWorker::Direct(client_id, frame.clone())).await;
        }
        let frame = message::frame_of(&followed.channel, publication);
        let age = self.clock.now_ms().saturating_sub(publication.at_ms);
        self.metrics.latency.observe(seconds(age));
        let workers = followed.workers.clone();
        self.tell(&workers, || ToWorker::Message(Arc::clone(name), position, frame.clone())).await;
    }

    /// Fetches what follows the last message that was handed on.
    fn fetch_now(&mut self, name: &Arc<str>) {
        let Some(followed) = self.channels.get_mut(name) else { return };
        if let State::Live(position) = followed.state {
            followed.state = State::Recovering(position);
            self.fetch(Arc::clone(name), position, Duration::ZERO);
        }
    }

    fn fetch(&self, name: Arc<str>, since: Position, pause: Duration) {
        let (broker, commands) = (self.broker.clone(), self.commands.clone());
        let limit = usize::try_from(self.config.history_messages.max(200)).unwrap_or(usize::MAX);
        supervise::spawn("broker questions", async move {
            if !pause.is_zero() {
                sleep(pause).await;
            }
            let history = broker.history(&name, Some(since), limit).await;
            let _ = commands.send(Command::Fetched(name, since, history));
        });
    }

    async fn fetched(&mut self, name: &Arc<str>, since: Position, result: Result<History, BrokerError>) {
        let Some(followed) = self.channels.get_mut(name) else { return };
        if !matches!(followed.state, State::Recovering(position) if position == since) {
            return;
        }
        let history = match result {
            Ok(history) => history,
            Err(error) => {
                tracing::debug!(%error, channel = &**name, "a gap cannot be closed yet");
                return self.fetch(Arc::clone(name), since, RETRY);
            }
        };
        if !history.is_complete {
            tracing::warn!(channel = &**name, "messages were lost");
            self.metrics.gaps.with_label_values(&["lost"]).inc();
            // What is still kept follows.
            let kept = history.publications.first().map(|oldest| oldest.offset.saturating_sub(1));
            let position = Position { offset: kept.unwrap_or(history.position.offset), ..history.position };
            let frame = message::lost_frame(&followed.channel, position);
            let workers = followed.workers.clone();
            followed.state = State::Recovering(position);
            self.tell(&workers, || ToWorker::Lost(Arc::clone(name), position, frame.clone())).await;
        } else if !history.publications.is_empty() {
            self.metrics.gaps.with_label_values(&["recovered"]).inc();
        }
        for publication in &history.publications {
            self.hand_on(name, history.position.epoch, publication).await;
        }
        self.go_on(name).await;
    }

    /// A channel is live again: takes what came meanwhile.
    async fn go_on(&mut self, name: &Arc<str>) {
        let Some(followed) = self.channels.get_mut(name) else { return };
        if let State::Recovering(position) = followed.state {
            followed.state = State::Live(position);
        }
        for (epoch, publication) in std::mem::take(&mut followed.held) {
            self.next(name, epoch, publication).await;
        }
    }

    fn live(&self) -> Vec<Arc<str>> {
        let live = |followed: &&Followed| matches!(followed.state, State::Live(_));
        self.channels.values().filter(live).map(|followed| Arc::clone(followed.channel.name())).collect()
    }

    /// Asks the broker where the channels are.
    fn check(&mut self) {
        let names = self.live();
        if self.is_checking || names.is_empty() {
            return;
        }
        self.is_checking = true;
        let (broker, commands) = (self.broker.clone(), self.commands.clone());
        supervise::spawn("broker questions", async move {
            let found = match broker.positions(&names).await {
                Ok(positions) => names.into_iter().zip(positions).collect(),
                Err(error) => {
                    tracing::debug!(%error, "positions cannot be compared");
                    Vec::new()
                }
            };
            let _ = commands.send(Command::Checked(found));
        });
    }

    fn compare(&mut self, positions: Vec<(Arc<str>, Option<Position>)>) {
        self.is_checking = false;
        for (name, there) in positions {
            let Some(followed) = self.channels.get_mut(&name) else { continue };
            let (State::Live(here), Some(there)) = (&followed.state, there) else { continue };
            let was_behind = followed.behind.take();
            if reaches(*here, there) {
                continue;
            }
            // What is on its way arrives before the next comparison.
            match was_behind {
                Some(earlier) if !reaches(*here, earlier) => self.revive(name),
                _ => followed.behind = Some(there),
            }
        }
    }

    /// A subscription has become silent: it is made anew, and what was missed is fetched.
    fn revive(&mut self, name: Arc<str>) {
        tracing::warn!(channel = &*name, "a subscription had become silent");
        let broker = self.broker.clone();
        let revived = Arc::clone(&name);
        supervise::spawn("broker questions", async move {
            if let Err(error) = broker.resubscribe(&revived).await {
                tracing::debug!(%error, channel = &*revived, "a subscription could not be made anew");
            }
        });
        self.fetch_now(&name);
    }

    async fn tell(&self, workers: &[WorkerId], what: impl Fn() -> ToWorker) {
        for worker in workers.iter().filter_map(|worker| self.workers.get(worker)) {
            tell(worker, what()).await;
        }
    }
}

/// Waits for a worker that has much to do: so the broker waits, and those who publish.
async fn tell(worker: &mpsc::Sender<ToWorker>, what: ToWorker) {
    // A worker that is gone has no connections any more.
    let _ = worker.send(what).await;
}

fn reaches(here: Position, there: Position) -> bool {
    here.epoch == there.epoch && here.offset >= there.offset
}

#[allow(clippy::cast_precision_loss)] // a histogram needs no more than 52 bits
fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1000.0
}
