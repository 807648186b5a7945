//! A connection to Redis that is read as it comes, for subscriptions: whoever reads it sets the
//! pace, and what is read is not copied. It speaks RESP2 (the protocol's specification,
//! "Subscribe mode").

use std::io;
use std::str::from_utf8;

use bytes::{Buf, BytesMut};
use redis::Cmd;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How much is read at once at least.
const CHUNK: usize = 16 * 1024;

/// Bytes in both directions, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What Redis said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply<'a> {
    Status(&'a [u8]),
    Error(&'a str),
    /// A list of up to three; numbers are their digits, what is missing is empty.
    List([&'a [u8]; 3]),
}

/// A connection.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    /// How much of the buffer was taken.
    taken: usize,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, buffer: BytesMut::new(), taken: 0 }
    }

    /// Sends a command.
    pub(crate) async fn send(&mut self, command: &Cmd) -> io::Result<()> {
        self.stream.write_all(&command.get_packed_command()).await?;
        self.stream.flush().await
    }

    /// Reads more. Nothing is lost when this is not awaited to its end.
    pub(crate) async fn read(&mut self) -> io::Result<()> {
        self.buffer.advance(std::mem::take(&mut self.taken));
        self.buffer.reserve(CHUNK);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// The next of what was read, if it is there as a whole.
    pub(crate) fn take(&mut self) -> io::Result<Option<Reply<'_>>> {
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        let mut parser = Parser { rest };
        let Some(reply) = parser.reply()? else { return Ok(None) };
        self.taken += rest.len() - parser.rest.len();
        Ok(Some(reply))
    }

    /// Waits for the next reply.
    pub(super) async fn receive(&mut self) -> io::Result<Reply<'_>> {
        loop {
            let mut parser = Parser { rest: self.buffer.get(self.taken..).unwrap_or_default() };
            if parser.reply()?.is_some() {
                break;
            }
            self.read().await?;
        }
        self.take()?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// Reads replies from the beginning of `rest`; none while one is not there as a whole.
struct Parser<'a> {
    rest: &'a [u8],
}

impl<'a> Parser<'a> {
    fn reply(&mut self) -> io::Result<Option<Reply<'a>>> {
        let Some((kind, line)) = self.line() else { return Ok(None) };
        Ok(match kind {
            b'-' => Some(Reply::Error(from_utf8(line).map_err(invalid)?)),
            b'+' | b':' => Some(Reply::Status(line)),
            b'*' => self.list(number(line)?)?.map(Reply::List),
            b'$' => self.bulk(line)?.map(Reply::Status),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        })
    }

    fn list(&mut self, count: i64) -> io::Result<Option<[&'a [u8]; 3]>> {
        let mut parts = [[].as_slice(); 3];
        let count = usize::try_from(count).map_err(invalid)?;
        for part in parts.get_mut(..count).ok_or(io::ErrorKind::InvalidData)? {
            let Some((kind, line)) = self.line() else { return Ok(None) };
            *part = match kind {
                b':' | b'+' => line,
                b'$' => match self.bulk(line)? {
                    Some(bytes) => bytes,
                    None => return Ok(None),
                },
                _ => return Err(io::ErrorKind::InvalidData.into()),
            };
        }
        Ok(Some(parts))
    }

    fn bulk(&mut self, line: &[u8]) -> io::Result<Option<&'a [u8]>> {
        let Ok(length) = usize::try_from(number(line)?) else { return Ok(Some(&[])) };
        let end = length.checked_add(2).ok_or(io::ErrorKind::InvalidData)?;
        let Some((bytes, rest)) = self.rest.split_at_checked(end) else { return Ok(None) };
        self.rest = rest;
        Ok(bytes.get(..length))
    }

    /// The next line, as its first byte and the others.
    fn line(&mut self) -> Option<(u8, &'a [u8])> {
        let end = self.rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = self.rest.get(..end)?;
        self.rest = self.rest.get(end + 2..)?;
        line.split_first().map(|(kind, line)| (*kind, line))
    }
}

fn number(digits: &[u8]) -> io::Result<i64> {
    from_utf8(digits).map_err(invalid)?.parse().map_err(invalid)
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn replies_are_read_whole_however_they_are_cut() {
        let sent: &[u8] = b"+OK\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$4\r\n\r\n\r\n\r\n-ERR no\r\n\
            *3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:12\r\n*2\r\n$4\r\npong\r\n$-1\r\n";
        let expected = [
            Reply::Status(b"OK"),
            Reply::List([b"message", b"c", b"\r\n\r\n"]),
            Reply::Error("ERR no"),
            Reply::List([b"subscribe", b"c", b"12"]),
            Reply::List([b"pong", b"", b""]),
        ];
        for size in 1..sent.len() {
            let (near, mut far) = tokio::io::duplex(size);
            let mut wire = Wire::new(Box::new(near));
            let sending = tokio::spawn(async move { far.write_all(sent).await });
            for reply in &expected {
                assert_eq!(wire.receive().await.unwrap(), *reply, "{size} bytes at once");
            }
            assert!(wire.receive().await.is_err(), "the connection has ended");
            sending.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn nonsense_is_an_error() {
        for nonsense in ["hello\r\n", "*4\r\n", "*-1\r\n", "$x\r\n", "*1\r\n*1\r\n"] {
            let (near, mut far) = tokio::io::duplex(100);
            far.write_all(nonsense.as_bytes()).await.unwrap();
            let refused = Wire::new(Box::new(near)).receive().await.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{nonsense:?}");
        }
    }
}
