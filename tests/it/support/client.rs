//! A caller of the HTTP API.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::sign::{self, Signed};

const JSON: &str = "application/json";

/// Longer than any answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// One who calls, with or without a token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    token: Option<String>,
    headers: Vec<(&'static str, String)>,
    /// What signs `/server` calls, where they have to be.
    server_keys: Option<(String, String)>,
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
        Self { http, base_url, token: None, headers: Vec::new(), server_keys: None }
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

    /// The same that signs `/server` calls, as one who calls through a proxy has to.
    pub fn signing(self, access_key: &str, secret_key: &str) -> Self {
        Self { server_keys: Some((access_key.to_owned(), secret_key.to_owned())), ..self }
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
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base_url));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let body = body.map(|body| body.to_string());
        match (&self.server_keys, &self.token) {
            (Some(keys), _) if path.starts_with("/server/") => {
                let signature = self.signature(keys, method.as_str(), path, body.as_deref());
                request = request.header("Authorization", signature);
            }
            (_, Some(token)) => request = request.header("Authorization", token),
            _ => {}
        }
        if let Some(body) = body {
            request = request.header("Content-Type", JSON).body(body);
        }
        let start = Instant::now();
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Answer { status, body, took: start.elapsed() })
    }

    fn signature(&self, keys: &(String, String), method: &str, target: &str, body: Option<&str>) -> String {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let headers: Vec<_> =
            body.map(|_| ("Content-Type".to_owned(), JSON.to_owned())).into_iter().collect();
        let host = self.base_url.split_once("://").map_or("", |(_, host)| host);
        let path = path.as_bytes();
        let signed = Signed { method, path, query, host, headers: &headers, body: body.map(str::as_bytes) };
        format!("Qiniu {}:{}", keys.0, sign::qiniu(&keys.1, &signed.text()))
    }
}
