//! A stand-in for Qiniu's review service that is stricter than the original: a call that is not signed
//! with the account's keys, or has a field too few, too many or of a wrong kind, is a fault, and a
//! fault fails the test.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use config::CensorConfig;
use serde_json::{Map, Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::fake::assert_no_faults;
use crate::api::sign::{Signed, qiniu};

/// This server's address, as the service is told.
pub const CALLBACK: &str = "http://callback.example";
pub const BUCKET: &str = "review-bucket";
pub const IMAGES: &str = "https://images.example";

/// How the service feels.
#[derive(Clone, Debug, Default)]
pub enum Mood {
    /// It works.
    #[default]
    Well,
    /// It answers every call with this HTTP status (and, for 3xx, a redirect to itself).
    Status(u16),
    /// It works, but takes this long.
    Slow(Duration),
    /// It answers 200 with these bytes.
    Garbage(Vec<u8>),
    /// It does what it is asked, and answers 500.
    Mute,
    /// It says no.
    Refusing,
}

/// A job that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: String,
    /// The room.
    pub room: String,
    pub uri: String,
    pub scenes: Vec<String>,
    pub interval_msecs: i64,
    pub hook_url: String,
    pub created_at: i64,
    /// `doing` or `stop`.
    pub status: &'static str,
}

impl Job {
    /// Path and query of the callback.
    pub fn callback(&self) -> &str {
        self.hook_url.strip_prefix(CALLBACK).expect("a callback at this server")
    }
}

#[derive(Default)]
struct State {
    mood: Mood,
    jobs: Vec<Job>,
    calls: Vec<String>,
    faults: Vec<String>,
}

/// The service. Dropping it fails the test when a call was faulty.
pub struct FakeReview {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

impl FakeReview {
    /// A service that knows the account's keys.
    pub async fn start(keys: (&str, &str)) -> Self {
        let server = MockServer::start().await;
        let state = Arc::new(Mutex::new(State::default()));
        let service = Service {
            keys: (keys.0.to_owned(), keys.1.to_owned()),
            host: server.address().to_string(),
            state: Arc::clone(&state),
        };
        Mock::given(any()).respond_with(service).mount(&server).await;
        Self { server, state }
    }

    /// The `censor` section that leads here.
    pub fn config(&self) -> CensorConfig {
        CensorConfig {
            callback: CALLBACK.to_owned(),
            bucket: BUCKET.to_owned(),
            addr: IMAGES.to_owned(),
            api_url: self.server.uri(),
        }
    }

    /// The same as YAML.
    pub fn yaml(&self) -> String {
        let CensorConfig { callback, bucket, addr, api_url } = self.config();
        format!("censor: {{callback: '{callback}', bucket: {bucket}, addr: '{addr}', api_url: '{api_url}'}}")
    }

    pub fn set_mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// All jobs of a room, oldest first.
    pub fn jobs_of(&self, room: &str) -> Vec<Job> {
        self.state().jobs.iter().filter(|job| job.room == room).cloned().collect()
    }

    /// Paths of all calls so far, whatever became of them.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for FakeReview {
    fn drop(&mut self) {
        let faults = self.state().faults.clone();
        assert_no_faults("the review service", &faults);
    }
}

struct Service {
    keys: (String, String),
    /// `host:port`.
    host: String,
    state: Arc<Mutex<State>>,
}

impl Respond for Service {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.state.lock().unwrap();
        state.calls.push(request.url.path().to_owned());
        match state.mood.clone() {
            Mood::Well => self.serve(&mut state, request),
            Mood::Slow(delay) => self.serve(&mut state, request).set_delay(delay),
            Mood::Garbage(bytes) => ResponseTemplate::new(200).set_body_raw(bytes, "application/json"),
            Mood::Status(status) => {
                ResponseTemplate::new(status).insert_header("location", request.url.as_str())
            }
            Mood::Mute => {
                self.serve(&mut state, request);
                ResponseTemplate::new(500)
            }
            Mood::Refusing => refusal(400, "the stream is not there"),
        }
    }
}

/// The `data` of a success, or what is wrong: a fault of the caller, or a refusal.
type Reply = Result<Value, Refused>;

enum Refused {
    Fault(String),
    Unknown,
}

impl Service {
    fn serve(&self, state: &mut State, request: &Request) -> ResponseTemplate {
        let answer = self.checked(request).and_then(|body| state.dispatch(request.url.path(), &body));
        match answer {
            Ok(data) => {
                ResponseTemplate::new(200).set_body_json(json!({"code": 200, "message": "OK", "data": data}))
            }
            Err(Refused::Unknown) => refusal(404, "no such job"),
            Err(Refused::Fault(what)) => {
                state.faults.push(format!("{} {}: {what}", request.method, request.url.path()));
                refusal(400, &what)
            }
        }
    }

    /// The body of a POST that the account has signed.
    fn checked(&self, request: &Request) -> Result<Value, Refused> {
        expect(request.method.as_str() == "POST", "POST")?;
        let text = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let headers = vec![("Content-Type".to_owned(), text("content-type").unwrap_or_default().to_owned())];
        expect(headers[0].1 == "application/json", "Content-Type")?;
        let signed = Signed {
            method: "POST",
            path: request.url.path().as_bytes(),
            query: request.url.query(),
            host: &self.host,
            headers: &headers,
            body: Some(&request.body),
        };
        let wanted = format!("Qiniu {}:{}", self.keys.0, qiniu(&self.keys.1, &signed.text()));
        expect(text("authorization") == Some(&wanted), "Authorization")?;
        serde_json::from_slice(&request.body).map_err(|error| Refused::Fault(error.to_string()))
    }
}

impl State {
    fn dispatch(&mut self, path: &str, body: &Value) -> Reply {
        match path {
            "/v3/live/censor" => self.create(body),
            "/v3/live/censor/close" => self.close(body),
            "/v3/live/censor/list" => self.list(body),
            "/v3/live/censor/query" => self.query(body),
            _ => fault("no such call"),
        }
    }

    fn create(&mut self, body: &Value) -> Reply {
        let body = object(body, &["data", "params"])?;
        let data = object(&body["data"], &["id", "uri"])?;
        let params = object(&body["params"], &["image", "hook_url", "hook_auth"])?;
        let names = ["is_on", "scenes", "interval_msecs", "saver", "hook_rule"];
        let image = object(&params["image"], &names)?;
        let saver = object(&image["saver"], &["bucket", "prefix"])?;
        expect(saver["bucket"] == BUCKET && saver["prefix"] == "", "saver")?;
        expect(image["is_on"] == true && image["hook_rule"] == 0, "is_on and hook_rule")?;
        expect(params["hook_auth"] == false, "hook_auth")?;
        let interval_msecs = image["interval_msecs"].as_i64().unwrap_or_default();
        expect((1000..=60_000).contains(&interval_msecs), "interval_msecs")?;
        let scenes = image["scenes"].as_array().cloned().unwrap_or_default();
        let known = ["pulp", "terror", "politician", "ads"];
        expect(!scenes.is_empty(), "scenes")?;
        expect(scenes.iter().all(|scene| known.iter().any(|known| scene == known)), "scenes")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (room, uri) = (text(&data["id"]), text(&data["uri"]));
        expect(!room.is_empty() && uri.starts_with("rtmp://"), "id and uri")?;
        let id = format!("job-{}", self.jobs.len());
        self.jobs.push(Job {
            id: id.clone(),
            room,
            uri,
            scenes: scenes.iter().map(text).collect(),
            interval_msecs,
            hook_url: text(&params["hook_url"]),
            created_at: chrono::Utc::now().timestamp(),
            status: "doing",
        });
        Ok(json!({"job": id}))
    }

    fn close(&mut self, body: &Value) -> Reply {
        let body = object(body, &["job"])?;
        let job = self.jobs.iter_mut().find(|job| body["job"] == job.id).ok_or(Refused::Unknown)?;
        job.status = "stop";
        Ok(Value::Null)
    }

    /// At most two a page, so that whoever reads the list has to turn pages.
    fn list(&mut self, body: &Value) -> Reply {
        let body = object(body, &["start", "end", "status", "limit", "marker"])?;
        let (start, end) = (number(&body, "start")?, number(&body, "end")?);
        let limit = number(&body, "limit")?;
        expect((1..=100).contains(&limit) && start <= end, "start, end and limit")?;
        let status = body["status"].as_str().ok_or(Refused::Fault("status".to_owned()))?;
        let skip: usize = match body["marker"].as_str().ok_or(Refused::Fault("marker".to_owned()))? {
            "" => 0,
            marker => marker.parse().map_err(|_| Refused::Unknown)?,
        };
        // A marker is a place among all jobs: those that stop between two pages move no other.
        let mut wanted = self.jobs.iter().enumerate().skip(skip).filter(|(_, job)| {
            (start..=end).contains(&job.created_at) && (status.is_empty() || status == job.status)
        });
        let size = usize::try_from(limit).unwrap().min(2);
        let page: Vec<(usize, &Job)> = wanted.by_ref().take(size).collect();
        let next = page.last().map_or(skip, |(place, _)| place + 1);
        let marker = if wanted.next().is_some() { next.to_string() } else { String::new() };
        let items: Vec<Value> = page.into_iter().map(|(_, job)| shown(job)).collect();
        Ok(json!({"marker": marker, "items": items}))
    }

    fn query(&mut self, body: &Value) -> Reply {
        let body = object(body, &["job", "suggestions", "start", "end"])?;
        expect(number(&body, "start")? <= number(&body, "end")?, "start and end")?;
        expect(body["suggestions"].is_array(), "suggestions")?;
        self.jobs.iter().find(|job| body["job"] == job.id).ok_or(Refused::Unknown)?;
        Ok(json!({"marker": "", "items": {"image": [], "audio": []}, "asked": body}))
    }
}

/// A job in a list.
fn shown(job: &Job) -> Value {
    json!({
        "id": job.id, "status": job.status, "message": "", "created_at": job.created_at, "updated_at": job.created_at,
        "data": {"id": job.room, "uri": job.uri, "info": ""},
        "params": {"hook_url": job.hook_url, "hook_auth": false},
    })
}

fn refusal(code: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(code).set_body_json(json!({"code": code, "message": message}))
}

fn fault<T>(what: &str) -> Result<T, Refused> {
    Err(Refused::Fault(what.to_owned()))
}

fn expect(holds: bool, what: &str) -> Result<(), Refused> {
    if holds { Ok(()) } else { fault(what) }
}

fn number(body: &Map<String, Value>, name: &str) -> Result<i64, Refused> {
    body[name].as_i64().ok_or(Refused::Fault(name.to_owned()))
}

/// The object, with exactly these fields.
fn object(value: &Value, names: &[&str]) -> Result<Map<String, Value>, Refused> {
    let object = value.as_object().cloned().unwrap_or_default();
    let is_exact = object.len() == names.len() && names.iter().all(|name| object.contains_key(*name));
    if is_exact { Ok(object) } else { fault(&format!("the fields are {names:?}, not {value}")) }
}
