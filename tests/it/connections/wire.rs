//! A connection on which a test says every byte.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// Longer than anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A connection.
pub struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The status line and the headers, in small letters.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, named in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.filter(|(of, _)| *of == name).map(|(_, value)| value.trim()).next()
    }
}

impl Wire {
    pub async fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
        Self { stream, received: Vec::new() }
    }

    /// One from another address of this machine.
    pub async fn open_from(address: [u8; 4], port: u16) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        let stream = socket.connect(([127, 0, 0, 1], port).into()).await.expect("a connection");
        Self { stream, received: Vec::new() }
    }

    /// One of a peer that has little room for what it does not read.
    pub async fn open_small(port: u16) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        socket.set_send_buffer_size(64 * 1024).unwrap();
        let stream = socket.connect(([127, 0, 0, 1], port).into()).await.expect("a connection");
        Self { stream, received: Vec::new() }
    }

    /// Sends bytes; whether all were taken.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let sent = timeout(LIMIT, self.stream.write_all(bytes.as_ref())).await;
        sent.expect("the bytes are taken, or refused").is_ok()
    }

    /// Sends as much of `bytes` as is taken until nothing is for a second; how much.
    pub async fn send_what_is_taken(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while let Ok(Ok(count)) = timeout(Duration::from_secs(1), self.stream.write(&bytes[taken..])).await {
            if count == 0 {
                break;
            }
            taken += count;
        }
        taken
    }

    /// Sends bytes and reads `count` answers meanwhile.
    pub async fn exchange(&mut self, bytes: &[u8], count: usize) -> Vec<Answer> {
        let (mut read, mut write) = self.stream.split();
        let received = &mut self.received;
        let reading = async {
            let mut answers = Vec::new();
            while answers.len() < count {
                match take(received) {
                    Some(answer) => answers.push(answer),
                    None => assert!(read.read_buf(received).await.unwrap() > 0, "closed after {answers:?}"),
                }
            }
            answers
        };
        let both = async { tokio::join!(write.write_all(bytes), reading) };
        let (sent, answers) = timeout(LIMIT, both).await.expect("all is sent and answered");
        sent.unwrap();
        answers
    }

    /// Whether the server has reset the connection, found without reading.
    pub fn is_reset(&self) -> bool {
        matches!(self.stream.try_write(b"x"), Err(error) if error.kind() != ErrorKind::WouldBlock)
    }

    /// The next answer; None when the connection ends first.
    pub async fn answer(&mut self) -> Option<Answer> {
        loop {
            if let Some(answer) = take(&mut self.received) {
                return Some(answer);
            }
            if self.read().await == 0 {
                return None;
            }
        }
    }

    /// The next bytes, exactly so many; None when the connection ends first.
    pub async fn bytes(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.received.len() < count {
            if self.read().await == 0 {
                return None;
            }
        }
        Some(self.received.drain(..count).collect())
    }

    /// Waits for the end, and answers what came before it.
    pub async fn end(&mut self) -> Vec<u8> {
        while self.read().await > 0 {}
        std::mem::take(&mut self.received)
    }

    /// How much came; 0 at the end, however it is told.
    async fn read(&mut self) -> usize {
        match timeout(LIMIT, self.stream.read_buf(&mut self.received)).await.expect("bytes, or the end") {
            Ok(count) => count,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
                0
            }
        }
    }
}

/// Takes one whole answer from the front of `received`, if there is one.
fn take(received: &mut Vec<u8>) -> Option<Answer> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
    let status: u16 = head.split(' ').nth(1)?.parse().expect("a status");
    let mut answer = Answer { status, head, body: Vec::new() };
    let length: usize = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    answer.body = received.get(end..end + length)?.to_vec();
    received.drain(..end + length);
    Some(answer)
}
