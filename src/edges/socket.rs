//! The two directions of one WebSocket connection (RFC 6455).

use std::cell::RefCell;
use std::io::ErrorKind;
use std::ops::AsyncFnMut;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::ws::{Codec, Frame, Item};
use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use rustix::net::{Shutdown, shutdown};
use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;
use tokio::time::timeout;
use tokio_util::codec::Decoder;

use super::frame_header;
use super::limits::EmptyFrames;
use realtime::{Closing, Connection, LocalHub, Next, frame};

/// Bytes that are read at once.
const READ: usize = 16 * 1024;
/// How long a peer may take to say good-bye.
const FAREWELL: Duration = Duration::from_secs(2);
/// Bytes that are read of a peer meanwhile: what was on its way, of one who does not stream.
const REMAINDER: usize = 256 * 1024;

thread_local! {
    /// Where a worker reads into: a connection that sends nothing holds no buffer.
    static SCRATCH: RefCell<Box<[u8; READ]>> = RefCell::new(Box::new([0; READ]));
}

/// What a peer sent.
pub(super) enum Message {
    /// UTF-8.
    Text(String),
    /// Anything else: no protocol here takes it.
    Binary,
}

/// The request id of a peer's command: that of its connection, with the peer's own number.
pub(super) fn command_id(connection: &Connection, number: Option<u64>) -> Arc<str> {
    let client_id = connection.client_id();
    number.map_or_else(|| format!("ws-{client_id}"), |number| format!("ws-{client_id}-{number}")).into()
}

/// Serves a connection until either side ends it: hands each message to `on_message`, one after the
/// other, and writes what the connection's queue holds. With the socket comes what the peer has sent
/// already; a message may have `limit` bytes, in one frame or in several.
pub(super) async fn serve(
    (io, early): (TcpStream, BytesMut),
    limit: usize,
    local: &LocalHub,
    connection: &Rc<Connection>,
    on_message: impl AsyncFnMut(Message),
) {
    let codec = Codec::new().max_size(limit);
    let empty = EmptyFrames::new(local.now());
    let mut reader = Reader { io: &io, local, connection, buffer: early, codec, limit, parts: None, empty };
    let reading = pin!(reader.run(on_message));
    let writing = pin!(write(&io, connection));
    match select(reading, writing).await {
        Either::Left((closing, writing)) => {
            connection.close(closing);
            // A peer that is gone cannot be told.
            if matches!(timeout(FAREWELL, writing).await, Ok(true)) {
                end(&io).await;
            }
        }
        // What the peer sends until its own good-bye is read: else the system would reset the
        // connection, and the peer might never see the code.
        Either::Right((true, reading)) => _ = timeout(FAREWELL, reading).await,
        Either::Right((false, _)) => {}
    }
    if let Some(closing) = connection.closing() {
        local.hub().metrics().closed.with_label_values(&[&closing.code.to_string()]).inc();
    }
}

/// Ends our side, and reads what the peer still sends until it ends its own: else the system would reset the
/// connection, and the peer might never see what was sent last.
pub(super) async fn end(io: &TcpStream) {
    if shutdown(io, Shutdown::Write).is_err() {
        return;
    }
    let reading = async {
        let mut left = REMAINDER;
        while left > 0 && readable(io).await {
            match SCRATCH.with_borrow_mut(|scratch| io.try_read(&mut scratch[..])) {
                Ok(0) => return,
                Ok(count) => left = left.saturating_sub(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    let _ = timeout(FAREWELL, reading).await;
}

/// Waits for something to read; false when the socket is broken. A peer who streams without a pause does not keep
/// others from the worker: [`TcpStream::readable`] alone would never give way.
async fn readable(io: &TcpStream) -> bool {
    consume_budget().await;
    io.readable().await.is_ok()
}

struct Reader<'a> {
    io: &'a TcpStream,
    local: &'a LocalHub,
    connection: &'a Rc<Connection>,
    buffer: BytesMut,
    codec: Codec,
    limit: usize,
    /// The beginning of a message that comes in several frames, and whether it is text.
    parts: Option<(bool, BytesMut)>,
    empty: EmptyFrames,
}

impl Reader<'_> {
    /// Reads until the peer ends the connection, or breaks the protocol; answers with what it is to be
    /// closed.
    async fn run(&mut self, mut on_message: impl AsyncFnMut(Message)) -> Closing {
        loop {
            loop {
                if frame_header::is_over(&self.buffer, self.left()) {
                    return Closing::TOO_BIG;
                }
                match self.codec.decode(&mut self.buffer) {
                    Ok(Some(frame)) => match self.take(frame) {
                        Ok(Some(message)) if !self.connection.is_closing() => on_message(message).await,
                        Ok(_) => {}
                        Err(closing) => return closing,
                    },
                    Ok(None) => break,
                    Err(error) => {
                        tracing::debug!(%error, "a peer broke the protocol");
                        return Closing::PROTOCOL;
                    }
                }
                if self.connection.is_clogged() {
                    self.connection.drained().await;
                }
            }
            if self.buffer.is_empty() {
                self.buffer = BytesMut::new();
            }
            if !readable(self.io).await || !self.read() {
                return Closing::NORMAL;
            }
        }
    }

    /// Reads what is there; false at the end.
    fn read(&mut self) -> bool {
        SCRATCH.with_borrow_mut(|scratch| match self.io.try_read(&mut scratch[..]) {
            Ok(0) => false,
            Ok(count) => {
                self.buffer.extend_from_slice(scratch.get(..count).unwrap_or_default());
                self.connection.note_heard(self.local.now());
                true
            }
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        })
    }

    /// Bytes that the next frame may have.
    fn left(&self) -> usize {
        let taken = self.parts.as_ref().map_or(0, |(_, parts)| parts.len());
        self.limit.saturating_sub(taken)
    }

    fn take(&mut self, frame: Frame) -> Result<Option<Message>, Closing> {
        let carries_nothing = match &frame {
            Frame::Ping(_) | Frame::Pong(_) => true,
            Frame::Continuation(
                Item::FirstText(bytes) | Item::FirstBinary(bytes) | Item::Continue(bytes),
            ) => bytes.is_empty(),
            _ => false,
        };
        if carries_nothing && !self.empty.check(self.local.now()) {
            return Err(Closing::FLOOD);
        }
        match frame {
            Frame::Text(bytes) => message(true, bytes).map(Some),
            Frame::Binary(bytes) => message(false, bytes).map(Some),
            Frame::Ping(payload) => {
                self.connection.reply(frame::pong(&payload));
                Ok(None)
            }
            Frame::Pong(_) => Ok(None),
            Frame::Close(_) => Err(Closing::NORMAL),
            Frame::Continuation(item) => self.part(item),
        }
    }

    /// A part of a message; the message, when it is the last.
    fn part(&mut self, item: Item) -> Result<Option<Message>, Closing> {
        match item {
            Item::FirstText(bytes) => self.parts = Some((true, BytesMut::from(bytes))),
            Item::FirstBinary(bytes) => self.parts = Some((false, BytesMut::from(bytes))),
            Item::Continue(bytes) => self.add(&bytes)?,
            Item::Last(bytes) => {
                self.add(&bytes)?;
                let (is_text, whole) = self.parts.take().ok_or(Closing::PROTOCOL)?;
                return message(is_text, whole.freeze()).map(Some);
            }
        }
        Ok(None)
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), Closing> {
        let (_, parts) = self.parts.as_mut().ok_or(Closing::PROTOCOL)?;
        parts.extend_from_slice(bytes);
        Ok(())
    }
}

fn message(is_text: bool, bytes: Bytes) -> Result<Message, Closing> {
    if !is_text {
        return Ok(Message::Binary);
    }
    String::from_utf8(bytes.into()).map(Message::Text).map_err(|_| Closing::PROTOCOL)
}

/// Writes what is queued until the connection is to be closed and the peer was told (true), or cannot
/// be written to any more.
async fn write(io: &TcpStream, connection: &Connection) -> bool {
    loop {
        match connection.next().await {
            Next::Write => {
                if !flush(io, connection).await {
                    return false;
                }
            }
            Next::Close(closing) => {
                return timeout(FAREWELL, write_all(io, &Connection::farewell(&closing)))
                    .await
                    .unwrap_or(false);
            }
        }
    }
}

/// Writes all that is queued; false if the peer is gone, or does not read any more while it is to be
/// closed.
async fn flush(io: &TcpStream, connection: &Connection) -> bool {
    loop {
        match connection.write_queued(|slices| io.try_write_vectored(slices)) {
            Ok(true) => return true,
            Ok(false) => {
                let (writable, closed) = (pin!(io.writable()), pin!(connection.closed()));
                let is_ready = match select(writable, closed).await {
                    Either::Left((ready, _)) => ready.is_ok(),
                    Either::Right(((), writable)) => matches!(timeout(FAREWELL, writable).await, Ok(Ok(()))),
                };
                if !is_ready {
                    return false;
                }
            }
            Err(_) => return false,
        }
    }
}

async fn write_all(io: &TcpStream, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match io.try_write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if io.writable().await.is_err() {
                    return false;
                }
            }
            Err(_) => return false,
        }
    }
    true
}
