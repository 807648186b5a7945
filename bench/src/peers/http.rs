//! A small HTTP/1.1 server: keep-alive, one answer per request, on a thread of its own so that its clock does not
//! wait for the driver. It runs until the process ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const MAX_HEADERS: usize = 64;

/// The head of a request that has come as a whole.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// Path and query.
    pub target: &'a str,
    headers: &'a [httparse::Header<'a>],
}

impl Incoming<'_> {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok().map(str::trim)
    }
}

/// Answers a request with a JSON text; an error closes the connection and is printed.
type Answer = dyn Fn(&Incoming<'_>) -> Result<String> + Send + Sync;

/// Starts the server and says where it listens.
pub fn start(
    name: &'static str,
    answer: impl Fn(&Incoming<'_>) -> Result<String> + Send + Sync + 'static,
) -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Err(error) = runtime.block_on(listen(listener, name, Arc::new(answer))) {
            eprintln!("{name} ended: {error:#}");
        }
    })?;
    Ok(address)
}

async fn listen(listener: std::net::TcpListener, name: &'static str, answer: Arc<Answer>) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = Arc::clone(&answer);
        tokio::spawn(async move {
            if let Err(error) = serve(stream, answer.as_ref()).await {
                eprintln!("{name}: {error:#}");
            }
        });
    }
}

async fn serve(mut stream: TcpStream, answer: &Answer) -> Result<()> {
    let mut buffer = Vec::with_capacity(8 * 1024);
    loop {
        let (length, body) = loop {
            if let Some(answered) = first(&buffer, answer)? {
                break answered;
            }
            // A server that was stopped leaves its connections anyhow.
            if matches!(stream.read_buf(&mut buffer).await, Ok(0) | Err(_)) {
                return Ok(());
            }
        };
        buffer.drain(..length);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all((head + &body).as_bytes()).await.is_err() {
            return Ok(());
        }
    }
}

/// Answers the request at the start of `bytes`: its length and the answer's body; `None` while it is incomplete.
fn first(bytes: &[u8], answer: &Answer) -> Result<Option<(usize, String)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(bytes)? else { return Ok(None) };
    let incoming =
        Incoming { target: request.path.context("a request without a target")?, headers: request.headers };
    let body: usize = match incoming.header("content-length") {
        Some(length) => length.parse()?,
        None => 0,
    };
    let length = head + body;
    if bytes.len() < length {
        return Ok(None);
    }
    Ok(Some((length, answer(&incoming)?)))
}

#[cfg(test)]
mod tests {
    use super::{Incoming, first};

    const REQUEST: &[u8] = b"POST /a HTTP/1.1\r\nWebhook-Id: m1\r\ncontent-length: 2\r\n\r\n{}";

    fn echo(incoming: &Incoming<'_>) -> anyhow::Result<String> {
        Ok(format!("{} {}", incoming.target, incoming.header("webhook-id").unwrap_or_default()))
    }

    #[test]
    fn a_request_is_read_to_its_end() {
        let two = [REQUEST, REQUEST].concat();
        assert_eq!(first(&two, &echo).unwrap(), Some((REQUEST.len(), "/a m1".to_owned())));
    }

    #[test]
    fn an_incomplete_request_is_waited_for() {
        assert_eq!(first(&REQUEST[..REQUEST.len() - 1], &echo).unwrap(), None);
        assert_eq!(first(b"POST /a HT", &echo).unwrap(), None);
    }

    #[test]
    fn a_request_may_have_no_body() {
        let request = b"GET /b HTTP/1.1\r\n\r\n";
        assert_eq!(first(request, &echo).unwrap(), Some((request.len(), "/b ".to_owned())));
    }
}
