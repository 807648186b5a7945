//! A client of RTMP that says just what a test wants.

use std::net::SocketAddr;

use bytes::BytesMut;
use media::amf::{Value, decode, encode_all};
use media::rtmp::{ChunkReader, ChunkWriter, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

pub(crate) const COMMAND: u8 = 20;

pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    reader: ChunkReader,
    input: BytesMut,
}

impl Client {
    /// Connects and shakes hands.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(&[&[3], &[0; 1536][..]].concat()).await.unwrap();
        let mut answer = [0; 1 + 2 * 1536];
        timeout(PATIENCE, socket.read_exact(&mut answer)).await.unwrap().unwrap();
        socket.write_all(&answer[1..1 + 1536]).await.unwrap();
        Self { socket, reader: ChunkReader::new(16 << 20), input: BytesMut::new() }
    }

    pub(crate) async fn send(&mut self, kind: u8, timestamp: u32, body: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(&message(kind, timestamp, body)).await
    }

    pub(crate) async fn command(&mut self, values: &[Value]) {
        self.send(COMMAND, 0, &encode_all(values)).await.unwrap();
    }

    /// `connect`, then `publish` or `play`; the code of the answer.
    pub(crate) async fn ask(&mut self, what: &str, app: &str, name: &str) -> String {
        for values in requests(what, app, name) {
            self.command(&values).await;
        }
        loop {
            let status = self.status().await.expect("an answer");
            if status != "NetConnection.Connect.Success" {
                return status;
            }
        }
    }

    /// The code of the next status; `None` when the connection ends.
    pub(crate) async fn status(&mut self) -> Option<String> {
        loop {
            let message = self.message().await?;
            if message.kind != COMMAND {
                continue;
            }
            let values = decode(&message.body).unwrap();
            if let Some(code) = values.iter().find_map(|value| value.get("code")?.as_str().map(str::to_owned))
            {
                return Some(code);
            }
        }
    }

    /// The next message; `None` when the connection ends.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.reader.next_message(&mut self.input).unwrap() {
                return Some(message);
            }
            let read =
                timeout(PATIENCE, self.socket.read_buf(&mut self.input)).await.expect("the server speaks");
            if read.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

/// A message in chunks of 128 bytes.
pub(crate) fn message(kind: u8, timestamp: u32, body: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    ChunkWriter::new().write(&mut out, 4, kind, timestamp, 1, body);
    out
}

/// What an encoder or player says first.
pub(crate) fn requests(what: &str, app: &str, name: &str) -> Vec<Vec<Value>> {
    let object = vec![
        ("app".to_owned(), app.into()),
        ("tcUrl".to_owned(), format!("rtmp://localhost/{app}").as_str().into()),
    ];
    vec![
        vec!["connect".into(), 1.0.into(), Value::Object(object)],
        vec!["createStream".into(), 2.0.into(), Value::Null],
        vec![what.into(), 3.0.into(), Value::Null, name.into(), "live".into()],
    ]
}
