//! The socket of an HTTP/1 connection, read no faster than its peer takes the answers.
//!
//! The dispatcher of actix-http decodes whatever it can read, keeps each head with a table of several KiB, and goes
//! on reading while answers wait to be written; only the first head of a connection has a time limit. Here a
//! connection is not read while one of its requests is answered or an answer cannot be written, a few KiB at once
//! else; every head has its time, and so has a peer that does not read.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use actix_http::{BoxedPayloadStream, Payload, Request};
use actix_web::error::PayloadError;
use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::connections::{Counted, Seat};
use super::declined_upgrade;

/// How long a request's head may take to arrive.
pub const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// How long a peer may take to read some of what is written.
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// Bytes that are read before the heads among them are looked at. The smallest head has 18.
const HEADS: usize = 4 * 1024;
/// Bytes of a body that are read at once.
const BODY: usize = 16 * 1024;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing was asked.
    #[default]
    Idle,
    /// A head has begun to arrive.
    Head(Instant),
    /// The body of a request arrives.
    Body,
    /// A request that is there is being answered.
    Answering,
}

/// Where a connection is, as its socket and its requests know it.
#[derive(Debug, Default)]
pub struct Flow {
    phase: Cell<Phase>,
    /// Whether an answer waits for the peer to read.
    is_stalled: Cell<bool>,
    /// The task that would read.
    reader: RefCell<Option<Waker>>,
    /// Where it tells whether it makes room for others.
    seat: Option<Arc<Seat>>,
}

impl Flow {
    /// A request is taken up: its body may be read, and nothing after it until the guard is dropped.
    pub fn begin(self: &Rc<Self>, request: &mut Request) -> Answering {
        self.set_idle(false);
        match request.take_payload() {
            Payload::None => self.phase.set(Phase::Answering),
            payload => {
                self.phase.set(Phase::Body);
                let payload: BoxedPayloadStream = Box::pin(Body { payload, flow: Rc::clone(self) });
                *request.payload() = Payload::Stream { payload };
            }
        }
        Answering(Rc::clone(self))
    }

    fn set_idle(&self, is_idle: bool) {
        if let Some(seat) = &self.seat {
            seat.set_idle(is_idle);
        }
    }

    fn go_on(&self) {
        if let Some(reader) = self.reader.borrow_mut().take() {
            reader.wake();
        }
    }

    fn wait(&self, context: &Context<'_>) -> Poll<io::Result<()>> {
        *self.reader.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }
}

/// A request that is being answered, until this is dropped.
#[derive(Debug)]
pub struct Answering(Rc<Flow>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.phase.set(Phase::Idle);
        self.0.set_idle(true);
        self.0.go_on();
    }
}

/// The body of a request, which tells its end.
struct Body {
    payload: Payload,
    flow: Rc<Flow>,
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.payload).poll_next(context));
        if !matches!(next, Some(Ok(_))) && self.flow.phase.get() == Phase::Body {
            self.flow.phase.set(Phase::Answering);
        }
        Poll::Ready(next)
    }
}

/// The socket.
#[derive(Debug)]
pub struct ClientStream {
    io: TcpStream,
    flow: Rc<Flow>,
    /// Until it ends, or is another protocol's.
    _counted: Counted,
    /// Whether what was read last is to be looked at before more is read.
    is_full: bool,
    /// Wakes the reader while a head arrives. It is left to run out when the head is there, since most are at once.
    head_timer: Option<Pin<Box<Sleep>>>,
    stall_timer: Option<Pin<Box<Sleep>>>,
}

impl ClientStream {
    /// A connection that was accepted, and counted.
    #[must_use]
    pub fn new(io: TcpStream, counted: Counted) -> Self {
        let flow = Rc::new(Flow { seat: counted.seat(), ..Flow::default() });
        flow.set_idle(true);
        Self { io, flow, _counted: counted, is_full: false, head_timer: None, stall_timer: None }
    }

    /// Where it is, for its requests.
    #[must_use]
    pub fn flow(&self) -> Rc<Flow> {
        Rc::clone(&self.flow)
    }

    /// The bare socket, for another protocol.
    #[must_use]
    pub fn into_inner(self) -> TcpStream {
        self.io
    }

    /// Whether the head that began to arrive then is too late.
    fn is_late(&mut self, began: Instant, context: &mut Context<'_>) -> bool {
        let end = began + HEAD_LIMIT;
        loop {
            let timer = self.head_timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
            if timer.as_mut().poll(context).is_pending() {
                return false;
            }
            if Instant::now() >= end {
                return true;
            }
            // It was of a head before.
            self.head_timer = None;
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let phase = self.flow.phase.get();
        if phase == Phase::Answering || self.flow.is_stalled.get() {
            return self.flow.wait(context);
        }
        if let Phase::Head(began) = phase
            && self.is_late(began, context)
        {
            return Poll::Ready(Err(ErrorKind::TimedOut.into()));
        }
        if std::mem::take(&mut self.is_full) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let most = if phase == Phase::Body { BODY } else { HEADS }.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(most));
        let read = Pin::new(&mut self.io).poll_read(context, &mut part)?;
        if read.is_pending() {
            // Nothing is asked: it makes room for others of its network, as if the peer had ended it.
            let leaves = self.flow.seat.as_ref().is_some_and(|seat| seat.leaves(context));
            return if leaves && phase == Phase::Idle { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        let count = part.filled().len();
        if count > 0 && phase == Phase::Idle {
            self.flow.set_idle(false);
            declined_upgrade::blank(part.filled_mut());
            self.flow.phase.set(Phase::Head(Instant::now()));
        }
        buffer.advance(count);
        self.is_full = count == most;
        Poll::Ready(Ok(()))
    }
}

impl ClientStream {
    /// Notes whether the peer takes what is written; an error when it has not for too long.
    fn note_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stall_timer = None;
            if self.flow.is_stalled.replace(false) {
                self.flow.go_on();
            }
            return written;
        }
        self.flow.is_stalled.set(true);
        let timer = self.stall_timer.get_or_insert_with(|| Box::pin(sleep(WRITE_LIMIT)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.note_write(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.note_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
