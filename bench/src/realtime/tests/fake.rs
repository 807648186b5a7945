//! A server that speaks as much of the protocol as the generator needs, and does wrong when told to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::realtime::worker::{TEXT, append_unmasked};

/// What it does wrong, to one subscriber alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    /// Leaves this offset out.
    Loses(u64),
    /// Sends this offset twice.
    Repeats(u64),
    /// Sends this offset after the next one.
    Delays(u64),
    /// Closes instead of this offset.
    Closes(u64),
    /// Refuses every subscription.
    Refuses,
    /// Refuses every publication.
    Sheds,
    /// Announces a gap before this offset, where there is none.
    Announces(u64),
}

#[derive(Default)]
struct Channel {
    offset: u64,
    subscribers: Vec<mpsc::UnboundedSender<Vec<u8>>>,
}

#[derive(Clone)]
struct Fake {
    wrong: Wrong,
    channels: Arc<Mutex<HashMap<String, Channel>>>,
}

/// Starts one on this runtime; its address.
pub async fn start(wrong: Wrong) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let fake = Fake { wrong, channels: Arc::default() };
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(fake.clone().serve(stream));
        }
    });
    address
}

fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    append_unmasked(&mut bytes, opcode, payload);
    bytes
}

fn text(value: &Value) -> Vec<u8> {
    frame(TEXT, value.to_string().as_bytes())
}

impl Fake {
    async fn serve(self, stream: TcpStream) {
        let (mut read, mut write) = stream.into_split();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(read.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"GET /realtime?token=secret HTTP/1.1\r\n"));
        let (out, mut waiting) = mpsc::unbounded_channel::<Vec<u8>>();
        tokio::spawn(async move {
            while let Some(bytes) = waiting.recv().await {
                // In two parts, as networks do.
                let (first, second) = bytes.split_at(bytes.len() / 2);
                for part in [first, second] {
                    if write.write_all(part).await.is_err() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            }
        });
        _ = out.send(b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec());
        _ = out.send(text(&json!({ "push": { "connected": { "client": "c" } } })));
        _ = out.send(frame(9, b"still there?"));
        let mut is_there = false;
        while let Some(payload) = masked(&mut read).await {
            if payload == b"still there?" {
                is_there = true;
                continue;
            }
            let request: Value = serde_json::from_slice(&payload).unwrap();
            assert!(is_there || request["method"] == "subscribe", "the ping was not answered");
            self.answer(&request, &out);
        }
    }

    fn answer(&self, request: &Value, out: &mpsc::UnboundedSender<Vec<u8>>) {
        let id = &request["id"];
        let name = request["params"]["channel"].as_str().unwrap();
        let mut channels = self.channels.lock().unwrap();
        let channel =
            channels.entry(name.to_owned()).or_insert_with(|| Channel { offset: 5, subscribers: Vec::new() });
        let refusal = json!({ "id": id, "error": { "code": 429, "message": "no" } });
        match (request["method"].as_str().unwrap(), self.wrong) {
            ("subscribe", Wrong::Refuses) | ("publish", Wrong::Sheds) => _ = out.send(text(&refusal)),
            ("subscribe", _) => {
                let result = json!({ "channel": name, "epoch": "e", "offset": channel.offset });
                _ = out.send(text(&json!({ "id": id, "result": result })));
                channel.subscribers.push(out.clone());
            }
            _ => {
                channel.offset += 1;
                _ = out.send(text(&json!({ "id": id, "result": { "offset": channel.offset } })));
                self.fan_out(name, channel, &request["params"]["data"]);
            }
        }
    }

    fn fan_out(&self, name: &str, channel: &Channel, data: &Value) {
        // As text: the order of fields is the protocol's.
        let push = |offset: u64| {
            let body = format!(r#""pub":{{"from":"u","action":"liveroom-pubchat","data":{data},"ts":1}}"#);
            let text = format!(r#"{{"push":{{"channel":"{name}","offset":{offset},{body}}}}}"#);
            frame(TEXT, text.as_bytes())
        };
        let now = channel.offset;
        for (number, subscriber) in channel.subscribers.iter().enumerate() {
            let wrong = if number == 0 { self.wrong } else { Wrong::Nothing };
            let frames = match wrong {
                Wrong::Loses(at) | Wrong::Delays(at) if at == now => vec![],
                Wrong::Delays(at) if at + 1 == now => vec![push(now), push(at)],
                Wrong::Repeats(at) if at == now => vec![push(now), push(now)],
                Wrong::Closes(at) if at == now => vec![frame(8, b"\x0b\xc0slow")],
                Wrong::Announces(at) if at == now => {
                    let lost =
                        json!({ "push": { "channel": name, "epoch": "e", "offset": now - 1, "lost": true } });
                    vec![text(&lost), push(now)]
                }
                _ => vec![push(now)],
            };
            frames.into_iter().for_each(|bytes| _ = subscriber.send(bytes));
        }
    }
}

/// Reads a short frame of a client, whose mask is zero; `None` at the end.
async fn masked(read: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let head = read.read_u16().await.ok()?;
    assert_eq!(head & 0x0080, 0x0080, "frames of clients are masked");
    let length = match head & 0x7f {
        126 => read.read_u16().await.ok()?,
        short => short,
    };
    assert_eq!(read.read_u32().await.ok()?, 0);
    let mut payload = vec![0; usize::from(length)];
    read.read_exact(&mut payload).await.ok()?;
    Some(payload)
}
