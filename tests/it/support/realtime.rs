//! A client of the native realtime protocol, that shows what came as it came.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A connection.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pushes: VecDeque<Value>,
    last_id: u64,
    pub closed: Option<u16>,
}

impl Socket {
    /// Connects to `ws://…/realtime`, with a token in the query, and takes the greeting.
    pub async fn log_in(url: &str, token: &str) -> Self {
        let mut socket = Self::open(&format!("{url}?token={token}")).await;
        let hello = socket.next_push().await;
        assert!(hello["connected"]["client"].is_string(), "{hello}");
        socket
    }

    /// Connects, and does nothing more.
    pub async fn open(url: &str) -> Self {
        Self::try_open(url).await.expect("a connection")
    }

    /// As [`Socket::open`]; an error when there is no server, or it does not want.
    pub async fn try_open(url: &str) -> Result<Self, Error> {
        Self::try_open_with(url, &[]).await.map(|(socket, _)| socket)
    }

    /// As [`Socket::try_open`], with further headers; also the headers of the answer.
    pub async fn try_open_with(
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Self, HeaderMap), Error> {
        let mut request = url.into_client_request()?;
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a header");
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let answer = timeout(LIMIT, connect_async(request)).await.expect("an answer to the handshake");
        let (stream, response) = answer?;
        let socket = Self { stream, pushes: VecDeque::new(), last_id: 0, closed: None };
        Ok((socket, response.headers().clone()))
    }

    /// Sends a text as it is.
    pub async fn send(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends any message; one that cannot be sent any more is lost.
    pub async fn send_message(&mut self, message: Message) {
        let _ = self.stream.send(message).await;
    }

    /// The next document; None at the end.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let message = timeout(LIMIT, self.stream.next()).await.expect("a message, or the end");
            match message {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(frame))) => {
                    self.closed = Some(frame.map_or(1005, |frame| u16::from(frame.code)));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next text as it came; None at the end.
    pub async fn next_text(&mut self) -> Option<String> {
        self.next_message().await.map(|message| message.into_text().expect("text").to_string())
    }

    /// The next text or bytes as they came; None at the end.
    pub async fn next_message(&mut self) -> Option<Message> {
        loop {
            match timeout(LIMIT, self.stream.next()).await.expect("a message, or the end") {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => return Some(message),
                Some(Ok(Message::Close(frame))) => {
                    self.closed = Some(frame.map_or(1005, |frame| u16::from(frame.code)));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The code with which the server closes the connection; what comes before is read.
    pub async fn close_code(&mut self) -> u16 {
        while self.next().await.is_some() {}
        self.closed.unwrap_or(1006)
    }

    /// Asks, and returns the whole answer; what is pushed meanwhile is kept.
    pub async fn ask(&mut self, method: &str, params: Value) -> Value {
        let answer = self.try_ask(method, params).await;
        answer.unwrap_or_else(|| panic!("{method}: closed {:?}", self.closed))
    }

    /// As [`Socket::ask`]; None when the connection ends first.
    pub async fn try_ask(&mut self, method: &str, params: Value) -> Option<Value> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"id": id, "method": method, "params": params}).to_string()).await;
        loop {
            let document = self.next().await?;
            if document["id"] == id {
                return Some(document);
            }
            assert!(document["push"].is_object(), "{document}");
            self.pushes.push_back(document["push"].clone());
        }
    }

    /// Asks, and returns the result.
    pub async fn result(&mut self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Asks, and returns the code of the refusal.
    pub async fn refused(&mut self, method: &str, params: Value) -> i64 {
        let answer = self.ask(method, params).await;
        answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("{method}: {answer}"))
    }

    /// Follows a channel from now on.
    pub async fn follow(&mut self, channel: &str) -> Value {
        self.result("subscribe", json!({ "channel": channel })).await
    }

    /// Says something in a channel; its offset.
    pub async fn say(&mut self, channel: &str, text: &str) -> u64 {
        let params = json!({"channel": channel, "action": "liveroom-pubchat", "data": text});
        self.result("publish", params).await["offset"].as_u64().unwrap()
    }

    /// The next push.
    pub async fn next_push(&mut self) -> Value {
        let push = self.try_next_push().await;
        push.unwrap_or_else(|| panic!("closed {:?}", self.closed))
    }

    /// As [`Socket::next_push`]; None when the connection ends first.
    pub async fn try_next_push(&mut self) -> Option<Value> {
        if let Some(push) = self.pushes.pop_front() {
            return Some(push);
        }
        let document = self.next().await?;
        assert!(document["push"].is_object(), "{document}");
        Some(document["push"].clone())
    }

    /// Drops the pushes that came while something was asked.
    pub fn forget_pushes(&mut self) {
        self.pushes.clear();
    }

    /// The next message of an action, in any channel.
    pub async fn next_of(&mut self, action: &str) -> Value {
        loop {
            let push = self.next_push().await;
            if push["pub"]["action"] == action {
                return push;
            }
        }
    }

    /// Cuts the connection, as a network does.
    pub fn cut(self) {
        drop(self);
    }

    /// Closes the connection politely.
    pub async fn close(mut self) {
        let _ = self.stream.close(None).await;
        while self.next().await.is_some() {}
    }
}
