//! A session over a connection.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::ending::Ending;
use super::session::{Event, Session};

/// How long a peer that was told goodbye has to read it.
const FAREWELL: Duration = Duration::from_secs(1);
/// Pieces for one system call.
const MAX_PIECES: usize = 64;

/// A session and the connection that it speaks over.
#[derive(Debug)]
pub(super) struct Transport<Io> {
    io: Io,
    pub(super) session: Session,
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Transport<Io> {
    pub(super) fn new(io: Io) -> Self {
        Self { io, session: Session::new() }
    }

    /// Receives up to `room` bytes; false at the end of the connection. May be cancelled.
    pub(super) async fn fill(&mut self, room: usize) -> io::Result<bool> {
        let input = self.session.input();
        input.reserve(room);
        Ok(self.io.read_buf(input).await? > 0)
    }

    /// Sends what the session has to say.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        let output = self.session.take_output();
        if output.is_empty() {
            return Ok(());
        }
        self.io.write_all(&output).await?;
        self.io.flush().await
    }

    /// The next event; `None` when the connection ends.
    pub(super) async fn event(&mut self, room: usize) -> Result<Option<Event>, Ending> {
        loop {
            let event = self.session.poll();
            // What was answered before an error is sent all the same.
            self.flush().await?;
            if let Some(event) = event? {
                return Ok(Some(event));
            }
            if !self.fill(room).await? {
                return Ok(None);
            }
        }
    }

    /// Sends pieces one after the other; fails when the peer takes nothing for `patience`.
    pub(super) async fn send(&mut self, pieces: &mut VecDeque<Bytes>, patience: Duration) -> io::Result<()> {
        while !pieces.is_empty() {
            let slices: Vec<IoSlice<'_>> =
                pieces.iter().take(MAX_PIECES).map(|piece| IoSlice::new(piece)).collect();
            let sent = timeout(patience, self.io.write_vectored(&slices)).await??;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            consume(pieces, sent);
        }
        timeout(patience, self.io.flush()).await?
    }

    /// Sends what is left to say, and waits a moment for the peer to read it: closing at once would take it
    /// away again where the peer is still sending.
    pub(super) async fn farewell(mut self) {
        let goodbye = async {
            self.flush().await?;
            self.io.shutdown().await?;
            let mut rest = [0; 4096];
            while self.io.read(&mut rest).await? > 0 {}
            io::Result::Ok(())
        };
        // Whether it was read is the peer's matter.
        let _ = timeout(FAREWELL, goodbye).await;
    }
}

/// Takes the first bytes away.
fn consume(pieces: &mut VecDeque<Bytes>, mut count: usize) {
    while let Some(piece) = pieces.front_mut() {
        if piece.len() > count {
            piece.advance(count);
            return;
        }
        count -= piece.len();
        pieces.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_taken_away() {
        let mut pieces: VecDeque<Bytes> = [&b"ab"[..], b"cde", b"f"].map(Bytes::from_static).into();
        consume(&mut pieces, 3);
        assert_eq!(pieces, [&b"de"[..], b"f"].map(Bytes::from_static));
        consume(&mut pieces, 3);
        assert!(pieces.is_empty());
    }
}
