//! A payment service with a ledger of its own: it pays one `biz_id` at most once and repeats its first
//! outcome. What it does to callers can be chosen. Stricter than a real one: a call with a field too
//! few, too many or of a wrong type, or without its signature, is a fault, and a fault fails the test.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::{GiftConfig, Secret};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::fake::assert_no_faults;

/// What signs the calls.
pub const SECRET: &str = "whsec_c2VjcmV0LW9mLXRoZS1wYXlpbmctc2VydmljZQ==";

/// What becomes of one call. Where it says so the ledger is written first.
#[derive(Clone, Debug, PartialEq)]
pub enum Mood {
    /// Decides, and says so.
    Well,
    /// Decides at once, and says so after this long.
    Slow(Duration),
    /// Never answers; decides when `charges`.
    Hang { charges: bool },
    /// Answers with this HTTP status (a 3xx leads to itself).
    Status { status: u16, charges: bool },
    /// Answers 200 with these bytes.
    Bytes { bytes: Vec<u8>, charges: bool },
    /// Resets the connection.
    Reset { charges: bool },
    /// Refuses a gift that has no outcome yet, with this code and text.
    Refuse { code: i64, message: String },
    /// Says this whatever the ledger has: such a service breaks its promise.
    Lie(Value),
}

impl Mood {
    /// Answers 200 with a text.
    pub fn text(text: &str, charges: bool) -> Self {
        Self::Bytes { bytes: text.as_bytes().to_vec(), charges }
    }

    /// Every way to leave the caller without an outcome, after the money was taken and before.
    pub fn unknown() -> Vec<Self> {
        let both = [true, false];
        let huge = format!("{{\"code\":0,\"pad\":\"{}\"}}", "x".repeat(70_000)).into_bytes();
        both.into_iter()
            .flat_map(|charges| {
                let statuses = [201, 204, 302, 307, 400, 402, 404, 429, 500, 503];
                let texts =
                    ["", "paid", "[]", "{}", r#"{"code":"0"}"#, r#"{"code":0.0}"#, r#"{"code":null}"#];
                let statuses = statuses.map(|status| Self::Status { status, charges });
                let texts = texts.map(|text| Self::text(text, charges));
                let others = [
                    Self::Hang { charges },
                    Self::Reset { charges },
                    Self::Bytes { bytes: huge.clone(), charges },
                ];
                statuses.into_iter().chain(texts).chain(others)
            })
            .collect()
    }
}

/// What the service decided about a gift, for good.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// None: paid.
    pub refusal: Option<(i64, String)>,
    /// What was asked for.
    pub order: Value,
}

#[derive(Default)]
struct State {
    decisions: BTreeMap<String, Decision>,
    calls: Vec<String>,
    request_ids: Vec<String>,
    /// What becomes of the next calls about a gift of that amount.
    scripts: BTreeMap<i64, VecDeque<Mood>>,
    always: Option<Mood>,
    /// Draws the mood of each call without a script.
    drawn: Option<Box<dyn FnMut() -> Mood + Send>>,
    faults: Vec<String>,
}

/// The service. Dropping it fails the test when a call was faulty.
pub struct FakePayment {
    port: u16,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

impl FakePayment {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { port, state, serving }
    }

    /// `http://127.0.0.1:<port>/pay`.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/pay", self.port)
    }

    /// The `gift` section that leads here; everything happens soon.
    pub fn config(&self) -> GiftConfig {
        GiftConfig {
            gift_addr: self.address(),
            timeout_s: 1,
            secret: Secret::new(SECRET),
            settle_every_s: 1,
            ..GiftConfig::default()
        }
    }

    /// The same as YAML.
    pub fn yaml(&self) -> String {
        format!(
            "gift: {{gift_addr: '{}', timeout_s: 1, secret: '{SECRET}', settle_every_s: 1}}",
            self.address()
        )
    }

    /// What becomes of the next calls about gifts of that amount; the ones after are answered well.
    pub fn script(&self, amount: i64, moods: impl IntoIterator<Item = Mood>) {
        self.state().scripts.entry(amount).or_default().extend(moods);
    }

    /// What becomes of all calls without a script, from now on.
    pub fn set(&self, mood: Mood) {
        let mut state = self.state();
        (state.always, state.drawn) = (Some(mood), None);
    }

    /// Draws what becomes of each call without a script, from now on until [`FakePayment::set`].
    pub fn draw(&self, moods: impl FnMut() -> Mood + Send + 'static) {
        self.state().drawn = Some(Box::new(moods));
    }

    /// What was decided so far, by `biz_id`.
    pub fn decisions(&self) -> BTreeMap<String, Decision> {
        self.state().decisions.clone()
    }

    /// The ids of the gifts that were charged.
    pub fn charged(&self) -> Vec<String> {
        let decisions = self.decisions();
        decisions.into_iter().filter(|(_, made)| made.refusal.is_none()).map(|(id, _)| id).collect()
    }

    /// How often each gift was asked about.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        let mut calls = BTreeMap::new();
        for biz_id in &self.state().calls {
            *calls.entry(biz_id.clone()).or_default() += 1;
        }
        calls
    }

    /// The `X-Reqid` of all calls.
    pub fn request_ids(&self) -> Vec<String> {
        self.state().request_ids.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for FakePayment {
    fn drop(&mut self) {
        self.serving.abort();
        let faults = self.state().faults.clone();
        assert_no_faults("the payment service", &faults);
    }
}

/// Answers calls on a connection until it ends.
async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    while let Some(request) = read(&mut stream).await {
        let (mood, answer) = state.lock().unwrap().take(&request);
        let done = match mood {
            Mood::Hang { .. } => std::future::pending().await,
            Mood::Reset { .. } => {
                stream.set_zero_linger().unwrap();
                return;
            }
            Mood::Slow(pause) => {
                tokio::time::sleep(pause).await;
                write(&mut stream, 200, answer.to_string().as_bytes()).await
            }
            Mood::Status { status, .. } => write(&mut stream, status, answer.to_string().as_bytes()).await,
            Mood::Bytes { bytes, .. } => write(&mut stream, 200, &bytes).await,
            Mood::Lie(lie) => write(&mut stream, 200, lie.to_string().as_bytes()).await,
            Mood::Well | Mood::Refuse { .. } => write(&mut stream, 200, answer.to_string().as_bytes()).await,
        };
        if done.is_err() {
            return;
        }
    }
}

struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let request = Request { head, body: bytes[end..].to_vec() };
    let length: usize = request.header("content-length")?.parse().ok()?;
    let mut body = request.body;
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { head: request.head, body })
}

async fn write(stream: &mut TcpStream, status: u16, body: &[u8]) -> std::io::Result<()> {
    let body = if status == 204 { &[] } else { body };
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nLocation: /pay\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    stream.flush().await
}

impl State {
    /// Notes a call, and decides what becomes of it.
    fn take(&mut self, request: &Request) -> (Mood, Value) {
        let order: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if let Err(fault) = check(request, &order) {
            self.faults.push(format!("{fault}: {} {order}", request.head));
            return (Mood::Well, json!({"code": 400, "message": fault}));
        }
        let biz_id = order["biz_id"].as_str().unwrap().to_owned();
        self.calls.push(biz_id.clone());
        self.request_ids.push(request.header("x-reqid").unwrap().to_owned());
        let scripted = self.scripts.get_mut(&order["amount"].as_i64().unwrap()).and_then(VecDeque::pop_front);
        let drawn = || self.drawn.as_mut().map(|draw| draw()).or_else(|| self.always.clone());
        let mood = scripted.or_else(drawn).unwrap_or(Mood::Well);
        let refusal = match &mood {
            Mood::Hang { charges: false }
            | Mood::Status { charges: false, .. }
            | Mood::Bytes { charges: false, .. }
            | Mood::Reset { charges: false }
            | Mood::Lie(_) => return (mood, Value::Null),
            Mood::Refuse { code, message } => Some((*code, message.clone())),
            _ => None,
        };
        let decided = Decision { refusal, order: order.clone() };
        let decision = self.decisions.entry(biz_id).or_insert(decided);
        if decision.order != order {
            self.faults.push(format!("one biz_id with two contents: {} and {order}", decision.order));
        }
        let answer = match &decision.refusal {
            None => json!({"request_id": "r", "code": 0, "message": "ok", "data": {"status": 1}}),
            Some((code, message)) => json!({"request_id": "r", "code": code, "message": message}),
        };
        (mood, answer)
    }
}

fn check(request: &Request, order: &Value) -> Result<(), &'static str> {
    let ensure = |holds: bool, fault| if holds { Ok(()) } else { Err(fault) };
    ensure(request.head.starts_with("POST /pay HTTP/1.1\r\n"), "the request line")?;
    ensure(request.header("content-type") == Some("application/json"), "the content type")?;
    ensure(request.header("x-reqid").is_some_and(|id| !id.is_empty()), "no X-Reqid")?;
    let fields = order.as_object().ok_or("not an object")?;
    let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
    names.sort_unstable();
    ensure(names == ["amount", "anchor_id", "biz_id", "gift_id", "live_id", "user_id"], "the fields")?;
    let texts = ["anchor_id", "biz_id", "live_id", "user_id"];
    ensure(texts.iter().all(|name| order[name].as_str().is_some_and(|text| !text.is_empty())), "a text")?;
    ensure(["amount", "gift_id"].iter().all(|name| order[name].is_i64()), "a number")?;
    check_signature(request, order["biz_id"].as_str().unwrap_or_default())
}

/// Standard Webhooks: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
fn check_signature(request: &Request, biz_id: &str) -> Result<(), &'static str> {
    let header = |name| request.header(name).ok_or("a header of the signature is missing");
    let (id, timestamp, signature) =
        (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    if id != biz_id {
        return Err("webhook-id is not the gift's id");
    }
    let age = chrono::Utc::now().timestamp() - timestamp.parse::<i64>().map_err(|_| "webhook-timestamp")?;
    if !(-60..=60).contains(&age) {
        return Err("webhook-timestamp is out of date");
    }
    let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&request.body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    if signature == expected { Ok(()) } else { Err("webhook-signature") }
}
