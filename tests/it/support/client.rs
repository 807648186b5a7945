//! A caller of the HTTP API.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

/// Longer than any answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// One who calls, with or without a token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    token: Option<String>,
    headers: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The whole envelope; null when the body is not JSON.
    pub body: Value,
    /// How long it took.
    pub took: Duration,
}

impl Answer {
    /// Whether the way failed, not the call: the server or what stands before it, or a node that slept for longer
    /// than a request may take to arrive.
    pub fn is_failure(&self) -> bool {
        self.status >= 500 || self.status == 408
    }

    /// `data` of a successful answer.
    #[track_caller]
    pub fn data(mut self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["data"].take()
    }
}

impl Client {
    /// Calls the server at `base_url` (without a slash at the end) without a token.
    pub fn new(base_url: String) -> Self {
        Self::build(base_url, None)
    }

    /// As [`Client::new`], from an address of this machine.
    pub fn from_address(base_url: String, address: Ipv4Addr) -> Self {
        Self::build(base_url, Some(address.into()))
    }

    fn build(base_url: String, address: Option<IpAddr>) -> Self {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(TIMEOUT).local_address(address).build().unwrap();
        Self { http, base_url, token: None, headers: Vec::new() }
    }

    /// The same with a token of `user_id`, who is created when new.
    pub async fn log_in(&self, user_id: &str) -> Self {
        let path = format!("/server/auth/token?app_id=tests&user_id={user_id}");
        let data = self.get(&path).await.data();
        self.with_token(data["access_token"].as_str().unwrap())
    }

    /// The token.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("a token")
    }

    /// The same with `token`.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same with a header.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// A request of any method; None when the server does not answer.
    pub async fn try_send(&self, method: Method, path: &str, body: Option<Value>) -> Option<Answer> {
        self.send(method, path, body).await.ok()
    }

    /// GET; None when the server does not answer.
    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        self.send(Method::GET, path, None).await.ok()
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await.expect("an answer")
    }

    /// POST.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.try_post(path, body).await.expect("an answer")
    }

    /// POST; None when the server does not answer.
    pub async fn try_post(&self, path: &str, body: Value) -> Option<Answer> {
        self.send(Method::POST, path, Some(body)).await.ok()
    }

    /// PUT.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await.expect("an answer")
    }

    /// DELETE; None when the server does not answer.
    pub async fn try_delete(&self, path: &str) -> Option<Answer> {
        self.send(Method::DELETE, path, None).await.ok()
    }

    /// PUT; None when the server does not answer.
    pub async fn try_put(&self, path: &str, body: Value) -> Option<Answer> {
        self.send(Method::PUT, path, Some(body)).await.ok()
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await.expect("an answer")
    }

    /// Creates a room as its anchor, and starts it.
    pub async fn go_live(&self, title: &str) -> Value {
        let room = self.post("/client/live/room/instance", json!({ "title": title })).await.data();
        let live_id = room["live_id"].as_str().unwrap();
        self.put(&format!("/client/live/room/{live_id}"), json!({})).await.data()
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.base_url));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = &self.token {
            request = request.header("Authorization", token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let start = Instant::now();
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Answer { status, body, took: start.elapsed() })
    }
}
