//! Whom attackers connect to, and until when.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::client::Client;

/// How many addresses they come from.
const ADDRESSES: u8 = 200;
/// The longest head of an answer.
const HEAD: usize = 8192;

/// A server of this machine that is attacked for a while.
#[derive(Clone)]
pub struct Target {
    server: SocketAddr,
    end: Instant,
    next: Arc<AtomicU8>,
}

impl Target {
    pub fn new(port: u16, end: Instant) -> Self {
        Self { server: (Ipv4Addr::LOCALHOST, port).into(), end, next: Arc::default() }
    }

    /// When the attack ends.
    pub fn end(&self) -> Instant {
        self.end
    }

    pub fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// Where viewers of barrage connect to.
    pub fn barrage_url(&self) -> String {
        format!("ws://{}/barrage-videos", self.server)
    }

    /// A caller from the next address, without a token.
    pub fn client(&self) -> Client {
        Client::from_address(format!("http://{}", self.server), self.address())
    }

    /// A connection from the next address; None when it is refused, or the attack ends first.
    pub async fn connect(&self) -> Option<TcpStream> {
        let socket = TcpSocket::new_v4().ok()?;
        socket.bind((self.address(), 0).into()).ok()?;
        self.unless_over(socket.connect(self.server)).await?.ok()
    }

    fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(127, 0, 1, 1 + self.next.fetch_add(1, Ordering::Relaxed) % ADDRESSES)
    }

    /// What comes of `work`; None when the attack ends first.
    pub async fn unless_over<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.end.into(), work).await.ok()
    }

    /// The status of the answer; None when the connection ends without one.
    pub async fn status(stream: &mut TcpStream) -> Option<u16> {
        let mut head = Vec::new();
        while !head.windows(4).any(|window| window == b"\r\n\r\n") && head.len() < HEAD {
            if stream.read_buf(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let head = String::from_utf8_lossy(&head);
        head.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()
    }
}
