//! A business service that gets callbacks. It checks signature, headers and the order within each room,
//! and keeps a ledger; a call that is not as promised is a fault, and a fault fails the test.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::server::free_port;

/// The secret under test in the format of the specification: the key is what the base64 means.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// A secret that is its own key.
pub const PLAIN_SECRET: &str = "a plain secret";

/// How the service answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Mood {
    /// `{"code": 0}`.
    #[default]
    Well,
    /// `{"code": 0}` after a while.
    Slow(Duration),
    /// 200 with another code.
    Code(i64),
    /// This HTTP status.
    Status(u16),
    /// This HTTP status with `Retry-After`.
    RetryAfter(u16, String),
    /// A redirect to the same place.
    Redirect,
    /// 200 with these bytes.
    Bytes(Vec<u8>),
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    pub webhook_id: String,
    pub seq: i64,
    pub kind: String,
    pub live_id: String,
    pub body: Value,
    pub headers: BTreeMap<String, String>,
    pub text: String,
    pub taken: bool,
    pub at: Instant,
}

type Draw = Box<dyn FnMut(&Call) -> Mood + Send>;

#[derive(Default)]
struct State {
    mood: Mood,
    /// Draws the mood of each call.
    drawn: Option<Draw>,
    rooms: HashMap<String, Mood>,
    calls: Vec<Call>,
    faults: Vec<String>,
}

/// The service. Dropping it fails the test when a call was faulty.
pub struct Receiver {
    port: u16,
    server: Option<MockServer>,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let mut receiver = Self { port: free_port(), server: None, state: Arc::default() };
        receiver.come_up().await;
        receiver
    }

    /// Nobody listens any more.
    pub fn go_down(&mut self) {
        self.server = None;
    }

    /// It listens again, at the same port.
    pub async fn come_up(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        let server = MockServer::builder().listener(listener).disable_request_recording().start().await;
        let service = Service { state: Arc::clone(&self.state), addr: self.addr() };
        Mock::given(any()).respond_with(service).mount(&server).await;
        self.server = Some(server);
    }

    /// For `callback.addr`.
    pub fn addr(&self) -> String {
        format!("http://127.0.0.1:{}/callback", self.port)
    }

    pub fn set_mood(&self, mood: Mood) {
        let mut state = self.state();
        (state.mood, state.drawn) = (mood, None);
    }

    /// Draws the mood of each call, from now on until [`Receiver::set_mood`].
    pub fn draw(&self, moods: impl FnMut(&Call) -> Mood + Send + 'static) {
        self.state().drawn = Some(Box::new(moods));
    }

    /// The mood for one room, whatever it is for the others.
    pub fn set_mood_for(&self, live_id: &str, mood: Mood) {
        self.state().rooms.insert(live_id.to_owned(), mood);
    }

    /// All calls, in the order of their arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    pub fn count(&self) -> usize {
        self.state().calls.len()
    }

    /// The calls for a room.
    pub fn calls_of(&self, live_id: &str) -> Vec<Call> {
        let state = self.state();
        state.calls.iter().filter(|call| call.live_id == live_id).cloned().collect()
    }

    /// The numbers of a room's events that were taken, in the order in which each was first taken.
    pub fn taken(&self, live_id: &str) -> Vec<i64> {
        let mut taken = Vec::new();
        for call in self.calls_of(live_id).iter().filter(|call| call.taken) {
            if !taken.contains(&call.seq) {
                taken.push(call.seq);
            }
        }
        taken
    }

    /// [`Receiver::taken`] of every room.
    pub fn taken_of_all(&self) -> BTreeMap<String, Vec<i64>> {
        let (mut taken, mut seen) = (BTreeMap::<String, Vec<i64>>::new(), HashSet::new());
        for call in self.state().calls.iter().filter(|call| call.taken) {
            if seen.insert((call.live_id.clone(), call.seq)) {
                taken.entry(call.live_id.clone()).or_default().push(call.seq);
            }
        }
        taken
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let faults = self.state().faults.clone();
        if !std::thread::panicking() {
            assert!(faults.is_empty(), "faulty callbacks: {faults:#?}");
        }
    }
}

struct Service {
    state: Arc<Mutex<State>>,
    addr: String,
}

impl Respond for Service {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.state.lock().unwrap();
        let mut call = match read(request) {
            Ok(call) => call,
            Err(fault) => {
                state.faults.push(fault);
                return ResponseTemplate::new(500);
            }
        };
        let drawn = state.drawn.as_mut().map(|draw| draw(&call));
        let mood = state.rooms.get(&call.live_id).cloned().or(drawn).unwrap_or_else(|| state.mood.clone());
        call.taken = matches!(mood, Mood::Well | Mood::Slow(_));
        if let Some(fault) = contradiction(&state.calls, &call) {
            state.faults.push(fault);
        }
        state.calls.push(call);
        let well = ResponseTemplate::new(200).set_body_json(json!({ "code": 0, "message": "success" }));
        match mood {
            Mood::Well => well,
            Mood::Slow(delay) => well.set_delay(delay),
            Mood::Code(code) => ResponseTemplate::new(200).set_body_json(json!({ "code": code })),
            Mood::Status(status) => ResponseTemplate::new(status).set_body_json(json!({ "code": 0 })),
            Mood::RetryAfter(status, when) => {
                ResponseTemplate::new(status).insert_header("Retry-After", when.as_str())
            }
            Mood::Redirect => ResponseTemplate::new(307).insert_header("Location", self.addr.as_str()),
            Mood::Bytes(bytes) => ResponseTemplate::new(200).set_body_bytes(bytes),
        }
    }
}

fn read(request: &Request) -> Result<Call, String> {
    let text = String::from_utf8(request.body.clone()).map_err(|error| error.to_string())?;
    let headers: BTreeMap<String, String> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let header = |name: &str| headers.get(name).cloned().ok_or_else(|| format!("{name} is missing: {text}"));
    let (method, path) = (request.method.as_str(), request.url.path());
    if (method, path) != ("POST", "/callback") {
        return Err(format!("{method} {path}"));
    }
    if header("content-type")? != "application/json" {
        return Err(format!("content-type: {headers:?}"));
    }
    let webhook_id = header("webhook-id")?;
    if webhook_id.is_empty() || webhook_id.contains('.') || header("x-reqid")?.is_empty() {
        return Err(format!("ids: {headers:?}"));
    }
    verify(&webhook_id, &header("webhook-timestamp")?, &text, &header("webhook-signature")?)?;
    let seq = header("x-liveloom-seq")?.parse().map_err(|_| format!("seq: {headers:?}"))?;
    let message: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    let known = ["type", "body"];
    let object = message.as_object().ok_or_else(|| format!("no object: {text}"))?;
    if object.len() != 2 || !known.iter().all(|key| object.contains_key(*key)) {
        return Err(format!("keys: {text}"));
    }
    let body = message["body"].clone();
    let live_id = body.get("live_id").or_else(|| body.get("init_room_id")).and_then(Value::as_str);
    Ok(Call {
        webhook_id,
        seq,
        kind: message["type"].as_str().unwrap_or_default().to_owned(),
        live_id: live_id.ok_or_else(|| format!("no room: {text}"))?.to_owned(),
        body,
        headers,
        text,
        taken: false,
        at: Instant::now(),
    })
}

/// Standard Webhooks 1.0.0, with both secrets.
fn verify(id: &str, timestamp: &str, text: &str, signature: &str) -> Result<(), String> {
    let now = chrono::Utc::now().timestamp();
    if timestamp.parse().is_ok_and(|at: i64| (now - at).abs() > 60) {
        return Err(format!("timestamp {timestamp}, now {now}"));
    }
    let keys = [STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap(), PLAIN_SECRET.into()];
    let expected = keys.map(|key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{id}.{timestamp}.{text}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    });
    if signature == expected.join(" ") { Ok(()) } else { Err(format!("signature {signature}")) }
}

/// One event has one id and one text; a room's events are first offered in their order.
fn contradiction(calls: &[Call], call: &Call) -> Option<String> {
    let of_room = || calls.iter().filter(|other| other.live_id == call.live_id);
    let same_event = of_room().find(|other| other.seq == call.seq);
    if let Some(other) = same_event {
        let facts =
            |call: &Call| (call.webhook_id.clone(), call.text.clone(), call.headers.get("x-reqid").cloned());
        let is_same = facts(other) == facts(call);
        return (!is_same).then(|| format!("an event in two forms: {other:?} {call:?}"));
    }
    if let Some(other) = calls.iter().find(|other| other.webhook_id == call.webhook_id) {
        return Some(format!("two events under one id: {other:?} {call:?}"));
    }
    let last = of_room().map(|other| other.seq).max().unwrap_or_default();
    (call.seq < last).then(|| format!("{} after {last} in {}", call.seq, call.live_id))
}
