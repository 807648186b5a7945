//! What the machine can do: a loop over bare sockets that writes the same bytes to as many connections of the same
//! generator, and does nothing else. Each round is the same for all; who cannot take it is waited for.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use anyhow::Result;
use memchr::memmem;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use super::clock::{now, until};
use super::worker::{Stamp, TEXT, append_unmasked, push};

const LISTENER: Token = Token(usize::MAX);
const CONTROL: Token = Token(usize::MAX - 1);
const EVENTS: usize = 4_096;
const CHANNEL: &str = "room:1234567890";

/// The running writer; it ends when dropped.
pub struct Bare {
    /// Where it listens.
    pub address: SocketAddr,
    jobs: Option<mpsc::Sender<Job>>,
    waker: Arc<Waker>,
}

/// What it shall write.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Messages in one write.
    pub batch: usize,
    /// Bytes of a message.
    pub length: usize,
    /// Nanoseconds from one round to the next; 0: none.
    pub distance: u64,
    /// Until when, on the clock of the generator.
    pub end: u64,
}

impl Bare {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Arc::new(Waker::new(poll.registry(), CONTROL)?);
        let (jobs, orders) = mpsc::channel();
        let mut writer = Writer { poll, listener, peers: Vec::new(), offset: 0 };
        thread::spawn(move || {
            if let Err(error) = writer.run(&orders) {
                eprintln!("the bare writer ended: {error:#}");
            }
        });
        Ok(Self { address, jobs: Some(jobs), waker })
    }

    /// Has it write.
    pub fn write(&self, job: Job) -> Result<()> {
        if let Some(jobs) = &self.jobs {
            jobs.send(job)?;
        }
        Ok(self.waker.wake()?)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.jobs = None;
        // Woken, it finds that there is nothing more to do.
        _ = self.waker.wake();
    }
}

struct Writer {
    poll: Poll,
    listener: TcpListener,
    peers: Vec<Peer>,
    offset: u64,
}

struct Peer {
    stream: TcpStream,
    input: Vec<u8>,
    state: State,
    /// Of the round: how much it has got.
    sent: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Greeting,
    Upgraded,
    Subscribed,
    Gone,
}

impl Writer {
    fn run(&mut self, jobs: &Receiver<Job>) -> Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut round = Vec::new();
        loop {
            match jobs.try_recv() {
                Ok(job) => self.work(job, &mut events, &mut round)?,
                Err(TryRecvError::Empty) => self.poll(&mut events, None, &[])?,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
    }

    fn work(&mut self, job: Job, events: &mut Events, round: &mut Vec<u8>) -> Result<()> {
        let mut due = now();
        while now() < job.end {
            self.render(job, round);
            for number in 0..self.peers.len() {
                self.write(number, round);
            }
            while self.peers.iter().any(|peer| peer.is_behind(round)) {
                self.poll(events, None, round)?;
            }
            due += job.distance;
            while job.distance > 0 && now() < due.min(job.end) {
                self.poll(events, Some(due.min(job.end)), &[])?;
            }
        }
        Ok(())
    }

    /// Renders the next round; all peers are to get it from its beginning.
    fn render(&mut self, job: Job, round: &mut Vec<u8>) {
        round.clear();
        let (mut text, stamp) = (Vec::new(), Stamp { node: 0, at: now() });
        for _ in 0..job.batch {
            self.offset += 1;
            push(&mut text, CHANNEL, self.offset, stamp, job.length);
            append_unmasked(round, TEXT, &text);
        }
        for peer in self.peers.iter_mut().filter(|peer| peer.state == State::Subscribed) {
            peer.sent = 0;
        }
    }

    fn write(&mut self, number: usize, round: &[u8]) {
        let Some(peer) = self.peers.get_mut(number) else { return };
        while peer.state == State::Subscribed
            && let Some(rest) = round.get(peer.sent..).filter(|rest| !rest.is_empty())
        {
            match peer.stream.write(rest) {
                Ok(written) => peer.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => peer.state = State::Gone,
            }
        }
    }

    /// Waits for something to happen. `round` is what peers are to get.
    fn poll(&mut self, events: &mut Events, end: Option<u64>, round: &[u8]) -> Result<()> {
        match self.poll.poll(events, end.map(until)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            done => done?,
        }
        for event in &*events {
            match event.token() {
                LISTENER => self.accept()?,
                CONTROL => {}
                Token(number) => {
                    if event.is_readable() {
                        self.read(number);
                    }
                    if event.is_writable() {
                        self.write(number, round);
                    }
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            stream.set_nodelay(true)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(self.peers.len()), interest)?;
            self.peers.push(Peer { stream, input: Vec::new(), state: State::Greeting, sent: usize::MAX });
        }
    }

    fn read(&mut self, number: usize) {
        let Some(peer) = self.peers.get_mut(number) else { return };
        let mut buffer = [0; 4_096];
        loop {
            match peer.stream.read(&mut buffer) {
                Ok(0) => break peer.state = State::Gone,
                Ok(length) => peer.take(buffer.get(..length).unwrap_or_default(), self.offset),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => break peer.state = State::Gone,
            }
        }
    }
}

impl Peer {
    /// Whether it has not got all of the round.
    fn is_behind(&self, round: &[u8]) -> bool {
        self.state == State::Subscribed && self.sent < round.len()
    }

    /// The request is answered with the upgrade, and the only frame that follows with the subscription.
    fn take(&mut self, bytes: &[u8], offset: u64) {
        self.input.extend_from_slice(bytes);
        let answer = match self.state {
            State::Greeting if memmem::find(&self.input, b"\r\n\r\n").is_some() => {
                self.state = State::Upgraded;
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                    .to_vec()
            }
            State::Upgraded => {
                self.state = State::Subscribed;
                let text =
                    format!(r#"{{"id":1,"result":{{"channel":"{CHANNEL}","epoch":"0","offset":{offset}}}}}"#);
                let mut frame = Vec::new();
                append_unmasked(&mut frame, TEXT, text.as_bytes());
                frame
            }
            _ => return self.input.clear(),
        };
        self.input.clear();
        // A fresh socket has room for so little.
        if self.stream.write_all(&answer).is_err() {
            self.state = State::Gone;
        }
    }
}
