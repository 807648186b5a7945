//! The client of the suite: builds a request, signs it as its sender, sends it, checks the envelope of
//! the answer and notes it in the ledger.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use super::NotApplicable;
use super::answer::Answer;
use super::ledger::Ledger;
use super::own::Backend;
use super::sign::{self, Signed};
use super::target::Target;
use super::world::User;
use crate::support::fake_review::FakeReview;

/// The target and the means to call it. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    pub target: Arc<Target>,
    pub ledger: Arc<Ledger>,
    /// Where further servers of one's own can be started; `None` with a foreign target.
    pub backend: Option<Backend>,
    /// The review service that the target calls, when it is ours.
    pub review: Option<Arc<FakeReview>>,
    http: reqwest::Client,
}

/// In whose name a call is made.
#[derive(Clone)]
enum Sender {
    Nobody,
    /// A business backend, by AK and SK.
    Server {
        raw_path: bool,
    },
    /// The value of `Authorization`.
    Bearer(String),
}

/// A request in the making.
#[derive(Clone)]
pub struct Call {
    api: Api,
    sender: Sender,
    method: String,
    /// Path and query, as they go over the wire.
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    document: bool,
    once: bool,
    may_fail: bool,
}

/// Escapes one path segment or one query value.
pub fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl Api {
    /// A client of `target` with a ledger of its own.
    pub fn new(target: Target, backend: Option<Backend>) -> Self {
        Self::with_ledger(target, backend, Arc::new(Ledger::default()))
    }

    /// A client of `target` that notes its answers in `ledger`.
    pub fn with_ledger(target: Target, backend: Option<Backend>, ledger: Arc<Ledger>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .no_proxy()
            // Well before servers close idle connections, so that no request meets a closing one.
            .pool_idle_timeout(Duration::from_secs(2))
            .build()
            .expect("an HTTP client");
        Self { target: Arc::new(target), ledger, backend, review: None, http }
    }

    /// A request without credentials; `target` is the path with its query, escaped as it shall be sent.
    pub fn call(&self, method: &str, target: impl Into<String>) -> Call {
        Call {
            api: self.clone(),
            sender: Sender::Nobody,
            method: method.to_owned(),
            target: target.into(),
            headers: Vec::new(),
            body: None,
            document: false,
            once: false,
            may_fail: false,
        }
    }

    pub fn get(&self, target: impl Into<String>) -> Call {
        self.call("GET", target)
    }

    pub fn post(&self, target: impl Into<String>) -> Call {
        self.call("POST", target)
    }

    pub fn put(&self, target: impl Into<String>) -> Call {
        self.call("PUT", target)
    }

    pub fn delete(&self, target: impl Into<String>) -> Call {
        self.call("DELETE", target)
    }

    /// The key that signs client tokens, when it is known.
    pub fn jwt_key(&self) -> Result<&str, NotApplicable> {
        self.target.jwt_key.as_deref().ok_or(NotApplicable("LIVELOOM_TARGET_JWT_KEY is not set"))
    }

    /// The review service that the target calls.
    pub fn review(&self) -> Result<&FakeReview, NotApplicable> {
        self.review.as_deref().ok_or(NotApplicable("the target's review service is not ours"))
    }

    /// Whether the target is known to have a streaming service.
    pub fn has_streams(&self) -> bool {
        self.target.stream_keys.is_some()
    }

    /// The account keys that sign push URLs and room tokens, when they are known.
    pub fn stream_keys(&self) -> Result<(&str, &str), NotApplicable> {
        let keys = self.target.stream_keys.as_ref();
        keys.map(|(access, secret)| (access.as_str(), secret.as_str()))
            .ok_or(NotApplicable("LIVELOOM_TARGET_STREAM_AK and _SK are not set"))
    }
}

impl Call {
    /// As a business backend, signed over the decoded path, as the Go server sees it.
    pub fn server(mut self) -> Self {
        self.sender = Sender::Server { raw_path: false };
        self
    }

    /// As a business backend, signed over the path as it is on the wire.
    pub fn server_over_raw_path(mut self) -> Self {
        self.sender = Sender::Server { raw_path: true };
        self
    }

    /// As `user`, with their token.
    pub fn by(self, user: &User) -> Self {
        self.authorization(user.token.clone())
    }

    /// With this value of `Authorization`.
    pub fn authorization(mut self, value: impl Into<String>) -> Self {
        self.sender = Sender::Bearer(value.into());
        self
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// A JSON body with its content type.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// A body under any content type; an empty one sends none.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        if content_type.is_empty() { self } else { self.header("Content-Type", content_type) }
    }

    /// The answer is no envelope (a document, a preflight).
    pub fn document(mut self) -> Self {
        self.document = true;
        self
    }

    /// Is not sent again when it is answered by 429.
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// A 5xx may be what the case is about.
    pub fn may_fail(mut self) -> Self {
        self.may_fail = true;
        self
    }

    /// Sends the request. Panics unless the answer is a proper envelope and, if not said otherwise, no
    /// server error. One who is told to wait (429) waits, as `Retry-After` asks.
    #[track_caller]
    pub fn send(self) -> impl Future<Output = Answer> {
        let asked_at = std::panic::Location::caller();
        async move {
            for _ in 0..60 {
                let answer = self.attempt(asked_at).await;
                if answer.status != 429 || self.once {
                    return answer;
                }
                let wait = answer.header("retry-after").parse().expect("Retry-After in seconds");
                tokio::time::sleep(Duration::from_secs(wait)).await;
            }
            panic!("{asked_at}: {} {} was answered 429 for too long", self.method, self.target)
        }
    }

    async fn attempt(&self, asked_at: &'static std::panic::Location<'static>) -> Answer {
        self.exchange().await.unwrap_or_else(|why| panic!("{asked_at}: {why}"))
    }

    /// Sends the request once. An error says why the answer is none that this call may get.
    pub async fn exchange(&self) -> Result<Answer, String> {
        let what = format!("{} {}", self.method, self.target);
        let method = reqwest::Method::from_bytes(self.method.as_bytes()).expect("a method");
        let mut request =
            self.api.http.request(method, format!("{}{}", self.api.target.base_url, self.target));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(authorization) = self.credentials() {
            request = request.header("Authorization", authorization);
        }
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        let response = request.send().await.map_err(|error| format!("{what}: no answer: {error:?}"))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| format!("{what}: no body: {error:?}"))?;
        self.api.ledger.note(&self.method, &self.target, status);
        let answer = Answer::new(what, status, headers, body.to_vec());
        self.judge(&answer).map(|()| answer)
    }

    fn judge(&self, answer: &Answer) -> Result<(), String> {
        let known = answer.status == 500 && answer.message() == "user not in live room";
        if answer.status >= 500 && !known && !self.may_fail {
            return Err(format!("a server error: {answer:?}"));
        }
        // CONNMIX's calls are answered in its own words.
        let is_connmix = self.target.starts_with("/v1/mesh/")
            && answer.json.as_ref().is_some_and(|json| json.get("E").is_some());
        if self.document || is_connmix { Ok(()) } else { answer.envelope() }
    }

    fn credentials(&self) -> Option<String> {
        match &self.sender {
            Sender::Nobody => None,
            Sender::Bearer(value) => Some(value.clone()),
            Sender::Server { raw_path } => Some(self.signature(*raw_path)),
        }
    }

    /// `Qiniu <ak>:<sign>` for this request.
    pub fn signature(&self, raw_path: bool) -> String {
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.target.as_str(), None),
        };
        let decoded: Vec<u8> = percent_decode_str(path).collect();
        let signed = Signed {
            method: &self.method,
            path: if raw_path { path.as_bytes() } else { &decoded },
            query,
            host: self.api.target.host(),
            headers: &self.headers,
            body: self.body.as_deref(),
        };
        let (access_key, secret_key) = (&self.api.target.access_key, &self.api.target.secret_key);
        format!("Qiniu {access_key}:{}", sign::qiniu(secret_key, &signed.text()))
    }
}
