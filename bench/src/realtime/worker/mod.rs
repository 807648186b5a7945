//! One process of the load generator: a loop over raw sockets. It must cost far less than the server that it
//! measures, so it reads no JSON of messages, and all connections share one buffer.

mod control;
mod frame;
mod ledger;
mod link;
mod order;
mod publisher;
mod push;

use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mio::{Events, Interest, Poll, Token, Waker};

pub use self::control::{Control, serve};
pub use self::frame::{TEXT, append_unmasked};
use self::ledger::Ledger;
use self::link::Link;
pub use self::order::Flaws;
use self::publisher::Publisher;
pub use self::push::{Stamp, push};
use super::clock::{nanos, now, until};
use super::wire::{Command, Reply, Seat};

const CONTROL: Token = Token(usize::MAX);
const BUFFER: usize = 256 * 1024;
const EVENTS: usize = 4_096;
/// Connections on their way to be open.
const OPENING: usize = 64;
/// How long none of them may succeed.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often to look whether everything has come.
const POLL: Duration = Duration::from_millis(5);

/// The loop with everything that it works on.
pub struct Worker {
    poll: Poll,
    links: Vec<Link>,
    ledger: Ledger,
    buffer: Vec<u8>,
    commands: Receiver<Command>,
    task: Task,
    /// Which connection publishes next.
    turn: usize,
    request: Vec<u8>,
}

/// What it is doing.
enum Task {
    Nothing,
    Opening { waiting: Vec<Seat>, subscribed: usize, progress: u64 },
    Measuring { publisher: Publisher, end: u64 },
    Settling { tops: Vec<u64>, end: u64 },
}

impl Worker {
    /// A loop without connections, and what commands it.
    pub fn new() -> Result<(Self, Control)> {
        let poll = Poll::new()?;
        let (sender, commands) = mpsc::channel();
        let waker = Arc::new(Waker::new(poll.registry(), CONTROL)?);
        let worker = Self {
            poll,
            links: Vec::new(),
            ledger: Ledger::new()?,
            buffer: vec![0; BUFFER],
            commands,
            task: Task::Nothing,
            turn: 0,
            request: Vec::new(),
        };
        Ok((worker, Control::new(sender, waker)))
    }

    /// Works until there are no more commands; `answer` gets one reply to each.
    pub fn run(&mut self, mut answer: impl FnMut(Reply) -> Result<()>) -> Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            match self.poll.poll(&mut events, self.pause()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                done => done?,
            }
            for event in &events {
                self.on_event(event);
            }
            if let Some(reply) = self.work().unwrap_or_else(|error| self.fail(&error)) {
                answer(reply)?;
            }
            loop {
                let command = match self.commands.try_recv() {
                    Ok(command) => command,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                };
                if let Some(reply) = self.begin(command).unwrap_or_else(|error| self.fail(&error)) {
                    answer(reply)?;
                }
            }
        }
    }

    fn fail(&mut self, error: &anyhow::Error) -> Option<Reply> {
        self.task = Task::Nothing;
        Some(Reply::Failed(format!("{error:#}")))
    }

    fn pause(&self) -> Option<Duration> {
        match &self.task {
            Task::Nothing => None,
            Task::Opening { .. } | Task::Settling { .. } => Some(POLL),
            Task::Measuring { publisher, end } => {
                Some(until(publisher.due().map_or(*end, |due| due.min(*end))))
            }
        }
    }

    fn on_event(&mut self, event: &mio::event::Event) {
        let Some(link) = self.links.get_mut(event.token().0) else { return };
        if event.is_writable() {
            link.on_writable(&mut self.ledger);
        }
        if event.is_readable() {
            self.ledger.now = now();
            link.on_readable(&mut self.buffer, &mut self.ledger);
        }
    }

    /// Begins a command; its reply when it is done at once. Commands come one after the other.
    fn begin(&mut self, command: Command) -> Result<Option<Reply>> {
        match command {
            Command::Open { plan } => {
                let mut waiting = read_plan(&plan)?;
                waiting.reverse();
                self.task = Task::Opening { waiting, subscribed: self.ledger.subscribed, progress: now() };
            }
            Command::Measure { pace, begin, end } => {
                self.ledger.measure(begin, end);
                self.task = Task::Measuring { publisher: Publisher::new(pace, now()), end };
            }
            Command::Stall(is_stalled) => {
                self.ledger.now = now();
                for link in self.links.iter_mut().filter(|link| link.seat.is_slow) {
                    link.stall(is_stalled, &mut self.buffer, &mut self.ledger);
                }
                return Ok(Some(Reply::Stalled));
            }
            Command::Settle { tops, within_ms } => {
                self.task = Task::Settling { tops, end: now() + nanos(Duration::from_millis(within_ms)) };
            }
        }
        // Nothing else may happen for a while.
        self.work()
    }

    /// Goes on with what it is doing; the reply when that is done.
    fn work(&mut self) -> Result<Option<Reply>> {
        let mut task = std::mem::replace(&mut self.task, Task::Nothing);
        let reply = match &mut task {
            Task::Nothing => None,
            Task::Opening { waiting, subscribed, progress } => self.open(waiting, subscribed, progress)?,
            Task::Measuring { publisher, end } => self.publish(publisher, *end),
            Task::Settling { tops, end } => self.settle(tops, *end),
        };
        if reply.is_none() {
            self.task = task;
        }
        Ok(reply)
    }

    fn open(
        &mut self,
        waiting: &mut Vec<Seat>,
        before: &mut usize,
        progress: &mut u64,
    ) -> Result<Option<Reply>> {
        if let Some(why) = self.ledger.last_end.take() {
            bail!("{} connections are open, and one ended: {why}", self.ledger.subscribed);
        }
        while self.links.len() - self.ledger.subscribed < OPENING
            && let Some(seat) = waiting.pop()
        {
            let mut link = Link::connect(seat)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut link.stream, Token(self.links.len()), interest)?;
            self.links.push(link);
        }
        if self.ledger.subscribed > *before {
            (*before, *progress) = (self.ledger.subscribed, now());
        } else if now().saturating_sub(*progress) > nanos(PATIENCE) {
            bail!("{before} connections are open, and no other became so in {} s", PATIENCE.as_secs());
        }
        let is_done = waiting.is_empty() && self.ledger.subscribed == self.links.len();
        Ok(is_done.then_some(Reply::Opened))
    }

    fn publish(&mut self, publisher: &mut Publisher, end: u64) -> Option<Reply> {
        let mut time = now();
        while time < end && publisher.take(time, self.on_their_way()) {
            if !self.publish_one(time) {
                break;
            }
            time = now();
        }
        self.ledger.measured.lag_us = publisher.lag / 1000;
        (time >= end).then(|| Reply::Measured(self.ledger.measured.clone()))
    }

    /// Publications that are not answered, and those that the subscribers of the first room have not got on average.
    fn on_their_way(&self) -> u64 {
        let unanswered = self.ledger.sent.saturating_sub(self.ledger.answered);
        let links = u64::try_from(self.links.len()).unwrap_or(u64::MAX).max(1);
        let behind = (self.ledger.top(0) * links).saturating_sub(self.ledger.reached);
        unanswered + behind.div_ceil(links)
    }

    /// Publishes over the next connection; false when there is none.
    fn publish_one(&mut self, time: u64) -> bool {
        let count = self.links.len();
        let open = (0..count).map(|step| (self.turn + step) % count);
        let usable =
            |at: &usize| self.links.get(*at).is_some_and(|link| link.is_open() && !link.seat.is_slow);
        let Some(at) = open.into_iter().find(usable) else { return false };
        let Some(link) = self.links.get_mut(at) else { return false };
        self.turn = at + 1;
        self.ledger.sent += 1;
        self.ledger.measured.published += u64::from(self.ledger.counts(time));
        let stamp = Stamp { node: link.seat.node, at: time };
        push::publish(&mut self.request, self.ledger.sent + 1, &link.seat.channel, stamp);
        link.send(&self.request, &mut self.ledger);
        true
    }

    fn settle(&mut self, tops: &[u64], end: u64) -> Option<Reply> {
        let top = |link: &Link| {
            let told = tops.get(link.seat.room).copied().unwrap_or_default();
            told.max(self.ledger.top(link.seat.room))
        };
        let is_answered = self.ledger.answered >= self.ledger.sent;
        let mut reading = self.links.iter().filter(|link| link.is_reading());
        let is_done = is_answered && reading.all(|link| link.order.last() >= top(link));
        if !is_done && now() < end {
            return None;
        }
        let mut flaws = Flaws::default();
        for link in &self.links {
            // What a stalled one has not got waits for it.
            let top = if link.is_reading() { top(link) } else { link.order.last() };
            flaws.add(&link.order.flaws(top));
        }
        Some(Reply::Settled(self.ledger.settled(flaws)))
    }
}

fn read_plan(plan: &Path) -> Result<Vec<Seat>> {
    let file = File::open(plan).with_context(|| format!("open {}", plan.display()))?;
    let lines = BufReader::new(file).lines();
    lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}
