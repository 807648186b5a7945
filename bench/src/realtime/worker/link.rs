//! One connection: opened, subscribed, read.

use std::io::{ErrorKind, Read as _, Write as _};
use std::mem;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use memchr::memmem;
use mio::net::TcpStream;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::frame::{self, Frame};
use super::ledger::{Ledger, Subscriber};
use super::order::Order;
use super::push::{self, Text};
use crate::realtime::wire::Seat;

/// As small as the kernel lets it be.
const SMALL_BUFFER: usize = 2_048;
/// What a phone's network carries at once. On the loopback interface it is 64 KiB otherwise, and the kernel of the
/// server would keep megabytes for each connection before the server hears of a stalled one.
const SMALL_SEGMENT: u32 = 1_400;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A connection.
#[derive(Debug)]
pub struct Link {
    /// Its socket.
    pub stream: TcpStream,
    /// What it is for.
    pub seat: Seat,
    /// What it has got.
    pub order: Order,
    state: State,
    is_stalled: bool,
    /// The beginning of a frame whose end has not come.
    carry: Vec<u8>,
    unsent: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Connecting,
    Upgrading,
    Subscribing,
    Open,
    Ended,
}

impl Link {
    /// Begins to connect.
    pub fn connect(seat: Seat) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).context("open a socket")?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if seat.is_slow {
            socket.set_recv_buffer_size(SMALL_BUFFER)?;
            socket.set_tcp_mss(SMALL_SEGMENT)?;
        }
        let source = SocketAddr::from((seat.source, 0));
        socket.bind(&SockAddr::from(source)).with_context(|| format!("bind to {source}"))?;
        match socket.connect(&SockAddr::from(seat.address)) {
            Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                return Err(error).with_context(|| format!("connect to {}", seat.address));
            }
            _ => {}
        }
        Ok(Self {
            stream: TcpStream::from_std(socket.into()),
            seat,
            order: Order::default(),
            state: State::Connecting,
            is_stalled: false,
            carry: Vec::new(),
            unsent: Vec::new(),
        })
    }

    /// Whether it has its subscription.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether it reads, so that all messages must come.
    pub fn is_reading(&self) -> bool {
        self.is_open() && !self.is_stalled
    }

    /// The socket can be written to.
    pub fn on_writable(&mut self, ledger: &mut Ledger) {
        let done = if self.state == State::Connecting { self.greet() } else { self.flush() };
        self.end_on_error(done, ledger);
    }

    /// The socket can be read from.
    pub fn on_readable(&mut self, buffer: &mut [u8], ledger: &mut Ledger) {
        if !self.is_stalled && self.state != State::Ended {
            let done = self.read(buffer, ledger);
            self.end_on_error(done, ledger);
        }
    }

    /// Stops reading, or goes on with what has come meanwhile.
    pub fn stall(&mut self, is_stalled: bool, buffer: &mut [u8], ledger: &mut Ledger) {
        self.is_stalled = is_stalled;
        self.on_readable(buffer, ledger);
    }

    /// Sends a text; what does not fit waits.
    pub fn send(&mut self, text: &[u8], ledger: &mut Ledger) {
        frame::append(&mut self.unsent, frame::TEXT, text);
        let done = self.flush();
        self.end_on_error(done, ledger);
    }

    fn end_on_error(&mut self, done: Result<()>, ledger: &mut Ledger) {
        if let Err(error) = done {
            self.state = State::Ended;
            ledger.end_of(format!("{error:#}"));
        }
    }

    fn greet(&mut self) -> Result<()> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error).with_context(|| format!("connect to {}", self.seat.address));
        }
        if self.stream.peer_addr().is_err() {
            return Ok(());
        }
        // The key is the example of RFC 6455: nobody compares the answer to it.
        let request = format!(
            "GET /realtime?token={} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            mem::take(&mut self.seat.token),
            self.seat.address
        );
        self.unsent.extend_from_slice(request.as_bytes());
        self.state = State::Upgrading;
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        let mut sent = 0;
        while let Some(rest) = self.unsent.get(sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(written) => sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("write"),
            }
        }
        self.unsent.drain(..sent);
        Ok(())
    }

    /// Reads until there is no more. A read that does not fill the buffer has taken everything.
    fn read(&mut self, buffer: &mut [u8], ledger: &mut Ledger) -> Result<()> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => bail!("closed without a closing frame"),
                Ok(length) => {
                    ledger.read(length);
                    self.take(buffer.get(..length).unwrap_or_default(), ledger)?;
                    if length < buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("read"),
            }
        }
    }

    fn take(&mut self, bytes: &[u8], ledger: &mut Ledger) -> Result<()> {
        if self.carry.is_empty() {
            let rest = self.consume(bytes, ledger)?;
            self.carry.extend_from_slice(rest);
            return Ok(());
        }
        let mut whole = mem::take(&mut self.carry);
        whole.extend_from_slice(bytes);
        let rest = self.consume(&whole, ledger)?.len();
        whole.drain(..whole.len() - rest);
        self.carry = whole;
        Ok(())
    }

    /// Looks at all that is complete; what is not is left.
    fn consume<'a>(&mut self, mut bytes: &'a [u8], ledger: &mut Ledger) -> Result<&'a [u8]> {
        if self.state == State::Upgrading {
            let Some(end) = memmem::find(bytes, HEAD_END) else { return Ok(bytes) };
            let (head, rest) = bytes.split_at(end + HEAD_END.len());
            self.upgraded(head)?;
            bytes = rest;
        }
        while let Some((frame, rest)) = frame::split(bytes)? {
            self.look_at(frame, ledger)?;
            bytes = rest;
        }
        Ok(bytes)
    }

    fn upgraded(&mut self, head: &[u8]) -> Result<()> {
        if !head.starts_with(b"HTTP/1.1 101") {
            let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
            bail!("/realtime answers {}", String::from_utf8_lossy(line));
        }
        self.state = State::Subscribing;
        let text = push::subscribe(&self.seat.channel);
        frame::append(&mut self.unsent, frame::TEXT, text.as_bytes());
        self.flush()
    }

    fn look_at(&mut self, frame: Frame<'_>, ledger: &mut Ledger) -> Result<()> {
        match frame.opcode {
            frame::TEXT => self.text(frame.payload, ledger),
            frame::PING => {
                frame::append(&mut self.unsent, frame::PONG, frame.payload);
                self.flush()
            }
            frame::PONG => Ok(()),
            frame::CLOSE => bail!("closed: {}", close_reason(frame.payload)),
            other => bail!("a frame of kind {other}"),
        }
    }

    fn text(&mut self, payload: &[u8], ledger: &mut Ledger) -> Result<()> {
        let Seat { room, node, is_slow, .. } = self.seat;
        match (self.state, ledger.reader.read(payload)) {
            (State::Open, Text::Message { offset, stamp }) => {
                let to = Subscriber { room, node, is_timed: !is_slow, order: &mut self.order };
                ledger.deliver(to, offset, stamp);
            }
            (State::Subscribing, Text::Accepted { offset }) => {
                self.order.begin(offset);
                ledger.raise(room, offset);
                ledger.reached += offset;
                ledger.subscribed += 1;
                self.state = State::Open;
            }
            (State::Subscribing, Text::Refused { code, message }) => {
                bail!("subscription to {} refused: {code} {message}", self.seat.channel)
            }
            (State::Subscribing, Text::Message { .. }) => bail!("a push before the subscription's answer"),
            (_, Text::Unknown) => bail!("unknown text: {}", String::from_utf8_lossy(payload)),
            (_, other) => ledger.note(room, other),
        }
        Ok(())
    }
}

/// The code and the reason of a closing frame.
fn close_reason(payload: &[u8]) -> String {
    match payload {
        &[high, low, ref reason @ ..] => {
            format!("{} {}", u16::from_be_bytes([high, low]), String::from_utf8_lossy(reason))
        }
        _ => "no code".to_owned(),
    }
}
