//! A lean HTTP/1.1 client: one keep-alive connection, one request at a time.
//!
//! The driver shares two cores with the server that it measures, so it does nothing that a general client
//! does: no pool, no header map, no copies of bodies.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MAX_HEADERS: usize = 32;

/// One keep-alive connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, borrowed from the connection's buffer.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

/// Where an answer's body lies in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    body_at: usize,
    end: usize,
}

impl Connection {
    /// Connects, with Nagle's algorithm off.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends one request and reads its whole answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let mut head: Option<Head> = None;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed a keep-alive connection");
            }
            if head.is_none() {
                head = parse_head(&self.buffer)?;
            }
            let Some(head) = head else { continue };
            if self.buffer.len() >= head.end {
                let body = self.buffer.get(head.body_at..head.end).unwrap_or_default();
                return Ok(Answer { status: head.status, body });
            }
        }
    }
}

/// Reads the head of an answer; `None` while it is incomplete.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let body_at = match response.parse(bytes)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .context("an answer without Content-Length: this client reads no chunked bodies")?;
    let length: usize = std::str::from_utf8(length.value)?.trim().parse()?;
    let status = response.code.context("an answer without a status")?;
    Ok(Some(Head { status, body_at, end: body_at + length }))
}

#[cfg(test)]
mod tests {
    use super::{Head, parse_head};

    #[test]
    fn finds_the_body() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 3\r\nx: y\r\n\r\nabc";
        let head = Head { status: 503, body_at: answer.len() - 3, end: answer.len() };
        assert_eq!(parse_head(answer).unwrap(), Some(head));
    }

    #[test]
    fn waits_for_the_whole_head() {
        assert_eq!(parse_head(b"HTTP/1.1 200 OK\r\nContent-Le").unwrap(), None);
    }

    #[test]
    fn refuses_a_chunked_answer() {
        assert!(parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }
}
