//! A connection, as the hub sees it: a queue of frames, and who gets them.
//!
//! A connection belongs to one worker thread, and so needs no lock.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;

use super::frame;

/// Bytes that may wait for a peer that does not read.
const QUEUE_LIMIT: usize = 1024 * 1024;
/// Frames of one system call at most.
const BATCH: usize = 64;

/// Why the server closes a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The code of the close frame; see docs/realtime.md.
    pub code: u16,
    /// Its reason, at most 123 bytes.
    pub reason: &'static str,
}

impl Closing {
    /// The peer closed, or asked for nothing wrong.
    pub const NORMAL: Self = Self { code: 1000, reason: "bye" };
    /// Something failed here; another attempt may work.
    pub const FAILED: Self = Self { code: 3000, reason: "server error" };
    /// This node goes down; another one will do.
    pub const SHUTDOWN: Self = Self { code: 3001, reason: "shutting down" };
    /// The token ran out.
    pub const EXPIRED: Self = Self { code: 3005, reason: "token expired" };
    /// A frame or a message is longer than the endpoint takes (RFC 6455 section 7.4.1).
    pub const TOO_BIG: Self = Self { code: 1009, reason: "message too big" };
    /// The peer does not read what it is sent.
    pub const SLOW: Self = Self { code: 3008, reason: "too slow" };
    /// Nothing was heard of the peer.
    pub const SILENT: Self = Self { code: 3009, reason: "silent" };
    /// The user has as many connections as a user may have.
    pub const TOO_MANY: Self = Self { code: 3010, reason: "too many connections" };
    /// The token is none of this server's, or its user does not exist.
    pub const BAD_TOKEN: Self = Self { code: 3500, reason: "bad token" };
    /// The user was banned from the platform.
    pub const BANNED: Self = Self { code: 3501, reason: "banned" };
    /// The peer breaks the protocol.
    pub const PROTOCOL: Self = Self { code: 3502, reason: "protocol violation" };
    /// The peer does not heed the limits.
    pub const FLOOD: Self = Self { code: 3503, reason: "flooding" };

    /// All of them.
    pub(super) const ALL: [Self; 12] = [
        Self::NORMAL,
        Self::TOO_BIG,
        Self::FAILED,
        Self::SHUTDOWN,
        Self::EXPIRED,
        Self::SLOW,
        Self::SILENT,
        Self::TOO_MANY,
        Self::BAD_TOKEN,
        Self::BANNED,
        Self::PROTOCOL,
        Self::FLOOD,
    ];
}

/// What the token said that a connection came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user_id: Arc<str>,
    /// When the token was issued, in Unix seconds; some do not say it.
    pub issued_at: Option<i64>,
    /// When it ends, in Unix seconds.
    pub expires_at: i64,
}

/// A channel that a connection follows.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) channel: Arc<str>,
    /// Where the worker's list of subscribers has it.
    pub(super) slot: usize,
}

/// A connection.
pub struct Connection {
    client_id: u64,
    /// Nobody's before the token has come.
    login: RefCell<Option<Login>>,
    opened: Duration,
    heard: Cell<Duration>,
    pub(super) subscriptions: RefCell<Vec<Subscription>>,
    queue: RefCell<VecDeque<Bytes>>,
    /// Bytes of the first frame that are written already.
    written: Cell<usize>,
    queued: Cell<usize>,
    closing: RefCell<Option<Closing>>,
    /// The task that writes, when it waits.
    writer: RefCell<Option<Waker>>,
    /// Who waits until less is queued, or for the end; the same task.
    other: RefCell<Option<Waker>>,
}

/// What the writer is to do next.
pub enum Next {
    /// Write what is queued.
    Write,
    /// Everything is written: say good-bye.
    Close(Closing),
}

impl Connection {
    pub(super) fn new(client_id: u64, now: Duration) -> Self {
        Self {
            client_id,
            login: RefCell::default(),
            opened: now,
            heard: Cell::new(now),
            subscriptions: RefCell::default(),
            queue: RefCell::default(),
            written: Cell::new(0),
            queued: Cell::new(0),
            closing: RefCell::default(),
            writer: RefCell::default(),
            other: RefCell::default(),
        }
    }

    /// Names the connection among all that ever were.
    #[must_use]
    pub fn client_id(&self) -> u64 {
        self.client_id
    }

    /// The user, once they are known.
    #[must_use]
    pub fn user_id(&self) -> Option<Arc<str>> {
        self.login.borrow().as_ref().map(|login| Arc::clone(&login.user_id))
    }

    /// What its token said, once it has come.
    #[must_use]
    pub fn login(&self) -> Option<Login> {
        self.login.borrow().clone()
    }

    /// The connection came with this token.
    pub(super) fn authenticate(&self, login: Login) {
        *self.login.borrow_mut() = Some(login);
    }

    /// When the token ends, in Unix seconds.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        self.login.borrow().as_ref().map(|login| login.expires_at)
    }

    /// When it was opened, by the worker's clock.
    #[must_use]
    pub fn opened(&self) -> Duration {
        self.opened
    }

    /// When the peer was last heard, by the worker's clock.
    #[must_use]
    pub fn heard(&self) -> Duration {
        self.heard.get()
    }

    /// The peer was heard.
    pub fn note_heard(&self, now: Duration) {
        self.heard.set(now);
    }

    /// The channels that it follows.
    #[must_use]
    pub fn channels(&self) -> Vec<Arc<str>> {
        self.subscriptions.borrow().iter().map(|subscription| Arc::clone(&subscription.channel)).collect()
    }

    /// How many channels it follows.
    #[must_use]
    pub fn channel_count(&self) -> usize {
        self.subscriptions.borrow().len()
    }

    /// Whether it follows `channel`.
    #[must_use]
    pub fn follows(&self, channel: &str) -> bool {
        self.subscriptions.borrow().iter().any(|subscription| &*subscription.channel == channel)
    }

    /// Sends a frame that others get, too. A peer that has not read for so long that too much waits is
    /// closed; false if so.
    pub fn push(&self, frame: Bytes) -> bool {
        if self.is_closing() {
            return true;
        }
        if self.queued.get().saturating_add(frame.len()) > QUEUE_LIMIT && self.queued.get() > 0 {
            self.close_now(Closing::SLOW);
            return false;
        }
        self.enqueue(frame);
        true
    }

    /// Sends what this connection asked for. It may be longer than the queue, since a peer gets no
    /// second answer before it has taken the first: see [`Connection::is_clogged`].
    pub fn reply(&self, frame: Bytes) {
        if !self.is_closing() {
            self.enqueue(frame);
        }
    }

    /// Whether more waits than a peer that reads would leave: its requests are not read then.
    #[must_use]
    pub fn is_clogged(&self) -> bool {
        self.queued.get() > QUEUE_LIMIT / 4
    }

    fn enqueue(&self, frame: Bytes) {
        self.queued.set(self.queued.get().saturating_add(frame.len()));
        self.queue.borrow_mut().push_back(frame);
        self.wake();
    }

    /// Closes the connection once what is queued was written.
    pub fn close(&self, closing: Closing) {
        let mut slot = self.closing.borrow_mut();
        if slot.is_none() {
            *slot = Some(closing);
            drop(slot);
            self.wake();
        }
    }

    /// Closes the connection; what is queued is lost.
    pub fn close_now(&self, closing: Closing) {
        let mut queue = self.queue.borrow_mut();
        // The rest of a frame that was begun must be written, lest the close frame is not understood.
        queue.truncate(usize::from(self.written.get() > 0));
        self.queued.set(queue.iter().map(Bytes::len).sum::<usize>().saturating_sub(self.written.get()));
        drop(queue);
        self.close(closing);
    }

    /// With what it is being closed.
    #[must_use]
    pub fn closing(&self) -> Option<Closing> {
        self.closing.borrow().clone()
    }

    /// Whether it is being closed.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing.borrow().is_some()
    }

    fn wake(&self) {
        for waiting in [&self.writer, &self.other] {
            if let Some(waker) = waiting.borrow_mut().take() {
                waker.wake();
            }
        }
    }

    /// Waits until the connection is not clogged any more, or is to be closed.
    pub async fn drained(&self) {
        self.until(|| !self.is_clogged() || self.is_closing()).await;
    }

    /// Waits until the connection is to be closed.
    pub async fn closed(&self) {
        self.until(|| self.is_closing()).await;
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        std::future::poll_fn(|context| {
            if is_so() {
                return Poll::Ready(());
            }
            *self.other.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits until there is something to write, or to say good-bye.
    pub async fn next(&self) -> Next {
        std::future::poll_fn(|context| {
            if !self.queue.borrow().is_empty() {
                return Poll::Ready(Next::Write);
            }
            if let Some(closing) = self.closing.borrow().clone() {
                return Poll::Ready(Next::Close(closing));
            }
            *self.writer.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Writes what is queued by `write`, as many frames at once as it takes, until nothing is left
    /// (true) or it says that it would have to wait (false).
    ///
    /// # Errors
    /// Those of `write`.
    pub fn write_queued(
        &self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> std::io::Result<usize>,
    ) -> std::io::Result<bool> {
        loop {
            let written = {
                let queue = self.queue.borrow();
                if queue.is_empty() {
                    break;
                }
                let mut slices = [IoSlice::new(&[]); BATCH];
                let mut count = 0;
                for (slice, frame) in slices.iter_mut().zip(queue.iter()) {
                    let begun = if count == 0 { self.written.get() } else { 0 };
                    *slice = IoSlice::new(frame.get(begun..).unwrap_or_default());
                    count += 1;
                }
                match write(slices.get(..count).unwrap_or_default()) {
                    Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
                    Ok(written) => written,
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(false),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error),
                }
            };
            self.advance(written);
        }
        let mut queue = self.queue.borrow_mut();
        // A connection that is quiet most of the time must not keep what a burst took.
        if queue.capacity() > BATCH {
            queue.shrink_to_fit();
        }
        Ok(true)
    }

    fn advance(&self, mut written: usize) {
        let was_clogged = self.is_clogged();
        self.queued.set(self.queued.get().saturating_sub(written));
        if was_clogged && !self.is_clogged() {
            self.wake();
        }
        let mut queue = self.queue.borrow_mut();
        while let Some(first) = queue.front() {
            let left = first.len().saturating_sub(self.written.get());
            if written < left {
                self.written.set(self.written.get() + written);
                return;
            }
            written -= left;
            self.written.set(0);
            queue.pop_front();
        }
    }

    /// The frame that ends the connection.
    #[must_use]
    pub fn farewell(closing: &Closing) -> Bytes {
        frame::close(closing.code, closing.reason)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    fn connection() -> Connection {
        Connection::new(1, Duration::ZERO)
    }

    #[test]
    fn frames_are_written_in_order_whatever_the_socket_takes_at_once() {
        for at_once in 1..40 {
            let connection = connection();
            let frames = ["first", "second", "x", "the last one"];
            frames.iter().for_each(|text| assert!(connection.push(frame::text(text))));
            let mut sink = Vec::new();
            let written = connection.write_queued(|slices| {
                let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
                let taken = all.len().min(at_once);
                sink.extend_from_slice(&all[..taken]);
                Ok(taken)
            });
            assert!(written.unwrap());
            let wanted: Vec<u8> = frames.iter().flat_map(|text| frame::text(text).to_vec()).collect();
            assert_eq!(sink, wanted, "{at_once} bytes at once");
            assert_eq!(connection.queued.get(), 0);
        }
    }

    #[test]
    fn who_does_not_read_is_closed_and_gets_the_rest_of_a_begun_frame() {
        let connection = connection();
        let frame = frame::text(&"x".repeat(QUEUE_LIMIT / 4));
        assert!(connection.push(frame.clone()));
        let mut once = Some(10);
        let waits =
            connection.write_queued(|_| once.take().ok_or_else(|| Error::from(ErrorKind::WouldBlock)));
        assert!(!waits.unwrap());
        let taken = (0..8).take_while(|_| connection.push(frame.clone())).count();
        assert_eq!(taken, 2, "a quarter is under way, and not all of another three fit");
        assert!(connection.is_closing());
        assert_eq!(connection.queued.get(), frame.len() - 10);
        assert!(connection.push(frame::text("late")), "what comes later is dropped quietly");
        let mut rest = 0;
        let all = connection.write_queued(|slices| {
            rest = slices.iter().map(|slice| slice.len()).sum();
            Ok(rest)
        });
        assert!(all.unwrap());
        assert_eq!(rest, frame.len() - 10);
    }
}
