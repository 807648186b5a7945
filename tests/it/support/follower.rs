//! One who follows a channel through thick and thin, and takes down what came.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::realtime::Socket;

/// How long a follower looks for a node that lets it in.
const PATIENCE: u32 = 600;

/// A message, as it was heard: its epoch and offset, and the text.
pub type Incoming = BTreeMap<(String, u64), String>;

/// One who follows a channel at any of several nodes.
pub struct Follower {
    urls: Vec<String>,
    token: String,
    channel: String,
    socket: Option<Socket>,
    /// The epoch and offset of the last message.
    place: Option<(String, u64)>,
    pub heard: Incoming,
    /// The code with which the last connection was closed.
    pub closed: Option<u16>,
    /// How often it came back and missed nothing, or was told that it may have; and how often the
    /// latter was told without a break.
    pub recovered: usize,
    pub unrecovered: usize,
    pub lost: usize,
}

impl Follower {
    pub fn new(urls: &[String], token: &str, channel: &str) -> Self {
        Self {
            urls: urls.to_owned(),
            token: token.to_owned(),
            channel: channel.to_owned(),
            socket: None,
            place: None,
            heard: Incoming::new(),
            closed: None,
            recovered: 0,
            unrecovered: 0,
            lost: 0,
        }
    }

    /// Where it is.
    pub fn offset(&self) -> u64 {
        self.place.as_ref().map_or(0, |(_, offset)| *offset)
    }

    /// The connection is gone, as when a network is.
    pub fn cut(&mut self) {
        self.socket = None;
    }

    /// Connects to node number `at`, or, while that does not take it, to the others, and goes on from
    /// where it was.
    pub async fn come(&mut self, at: usize) {
        for attempt in 0..PATIENCE as usize {
            if self.try_come((at + attempt) % self.urls.len()).await.is_some() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("no node takes a follower");
    }

    async fn try_come(&mut self, at: usize) -> Option<()> {
        let mut socket = Socket::try_open(&format!("{}?token={}", self.urls[at], self.token)).await.ok()?;
        let hello = socket.next().await?;
        assert!(hello["push"]["connected"].is_object(), "{hello}");
        let mut params = json!({"channel": self.channel});
        if let Some((epoch, offset)) = &self.place {
            (params["epoch"], params["offset"]) = (json!(epoch), json!(offset));
        }
        let answer = socket.try_ask("subscribe", params).await?;
        if !answer["error"].is_null() {
            assert!(matches!(answer["error"]["code"].as_i64(), Some(500 | 503)), "{answer}");
            return None;
        }
        self.take_answer(&answer["result"]);
        self.socket = Some(socket);
        Some(())
    }

    fn take_answer(&mut self, result: &Value) {
        let epoch = result["epoch"].as_str().unwrap().to_owned();
        let offset = result["offset"].as_u64().unwrap();
        match result["recovered"].as_bool() {
            None => assert!(self.place.is_none(), "it is not said whether all was recovered: {result}"),
            Some(true) => {
                assert_eq!(Some(&epoch), self.place.as_ref().map(|(epoch, _)| epoch), "{result}");
                for publication in result["publications"].as_array().unwrap() {
                    self.take(&epoch, publication);
                }
                assert_eq!(self.offset(), offset, "publications end where one is: {result}");
                self.recovered += 1;
            }
            Some(false) => self.unrecovered += 1,
        }
        self.place = Some((epoch, offset));
    }

    /// The next message must be the one after the last.
    fn take(&mut self, epoch: &str, message: &Value) {
        let offset = message["offset"].as_u64().unwrap_or_else(|| panic!("{message}"));
        assert_eq!(offset, self.offset() + 1, "{epoch}: {message}");
        self.place = Some((epoch.to_owned(), offset));
        if message["pub"]["action"] == "liveroom-pubchat" {
            let text = message["pub"]["data"].as_str().unwrap().to_owned();
            self.heard.insert((epoch.to_owned(), offset), text);
        }
    }

    /// Takes the next push; false when the connection has ended.
    pub async fn listen(&mut self) -> bool {
        let socket = self.socket.as_mut().expect("a connection");
        let Some(push) = socket.try_next_push().await else {
            self.closed = self.socket.take().and_then(|socket| socket.closed);
            return false;
        };
        let (epoch, _) = self.place.clone().expect("a place");
        if push["lost"] == true {
            let epoch = push["epoch"].as_str().unwrap().to_owned();
            self.place = Some((epoch, push["offset"].as_u64().unwrap()));
            self.lost += 1;
        } else {
            self.take(&epoch, &push);
        }
        true
    }

    /// Listens until it has come to `offset`, at least.
    pub async fn reach(&mut self, offset: u64) {
        while self.offset() < offset {
            assert!(self.listen().await, "the connection ended at {} of {offset}", self.offset());
        }
    }

    /// Listens until it hears `text`, from whatever epoch it is; comes back when the connection ends.
    pub async fn hear(&mut self, text: &str) {
        let mut at = 0;
        while !self.heard.values().any(|heard| heard == text) {
            if !self.listen().await {
                at += 1;
                self.come(at).await;
            }
        }
    }
}

/// All who heard a place heard the same there.
pub fn assert_one_order(all: &[Incoming]) -> Incoming {
    let mut order = Incoming::new();
    for heard in all {
        for (place, text) in heard {
            let known = order.entry(place.clone()).or_insert_with(|| text.clone());
            assert_eq!(known, text, "two followers heard different things at {place:?}");
        }
    }
    order
}
