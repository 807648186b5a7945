//! A stand-in for Qiniu's IM service that is stricter than the original: a call with a header or a
//! field too few, too many or of a wrong type is a fault, and a fault fails the test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use config::{ImConfig, Secret};
use serde_json::{Map, Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::fake::{Mood, assert_no_faults};

pub const APP_ID: &str = "im-app";
pub const TOKEN: &str = "im-admin-token";
const EXISTS: i64 = 10004;
const DENIED: i64 = 401;
const BAD: i64 = 400;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: i64,
    pub password: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub owner: i64,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub from: Option<i64>,
    /// True for a chat room, false for an account.
    pub to_group: bool,
    pub target: i64,
    pub action: String,
    pub data: Value,
}

#[derive(Default)]
struct State {
    mood: Mood,
    last_id: i64,
    accounts: BTreeMap<String, Account>,
    groups: BTreeMap<i64, Group>,
    sent: Vec<Sent>,
    calls: Vec<String>,
    faults: Vec<String>,
}

/// The service. Dropping it fails the test when a call was faulty.
pub struct FakeIm {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

impl FakeIm {
    pub async fn start() -> Self {
        let server = MockServer::start().await;
        let state = Arc::new(Mutex::new(State { last_id: 500_000, ..State::default() }));
        Mock::given(any()).respond_with(Service(Arc::clone(&state))).mount(&server).await;
        Self { server, state }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> String {
        self.server.uri()
    }

    /// The `im` section that leads here.
    pub fn config(&self) -> ImConfig {
        ImConfig::Qiniu { app_id: APP_ID.to_owned(), endpoint: self.endpoint(), token: Secret::new(TOKEN) }
    }

    pub fn set_mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    pub fn accounts(&self) -> BTreeMap<String, Account> {
        self.state().accounts.clone()
    }

    pub fn groups(&self) -> BTreeMap<i64, Group> {
        self.state().groups.clone()
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// The paths of all calls so far, whatever became of them.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for FakeIm {
    fn drop(&mut self) {
        let faults = self.state().faults.clone();
        assert_no_faults("the IM service", &faults);
    }
}

struct Service(Arc<Mutex<State>>);

impl Respond for Service {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        state.calls.push(request.url.path().to_owned());
        state.mood.clone().answer(request, || state.serve(request))
    }
}

impl State {
    fn serve(&mut self, request: &Request) -> ResponseTemplate {
        let answer = match self.dispatch(request) {
            Ok(data) => json!({"code": 200, "message": "success", "data": data}),
            Err((code, message)) => {
                if code == BAD {
                    let call = format!("{} {}: {message}", request.method, request.url.path());
                    self.faults.push(call);
                }
                json!({"code": code, "message": message})
            }
        };
        ResponseTemplate::new(200).set_body_json(answer)
    }

    fn dispatch(&mut self, request: &Request) -> Reply {
        if header(request, "app_id")?.as_deref() != Some(APP_ID) {
            return fault("app_id");
        }
        if header(request, "access-token")?.as_deref() != Some(TOKEN) {
            return Err((DENIED, "access-token".to_owned()));
        }
        let user = match header(request, "user_id")? {
            Some(text) => Some(text.parse().map_err(|_| (BAD, format!("user_id {text}")))?),
            None => None,
        };
        match (request.method.as_str(), request.url.path()) {
            ("POST", "/user/register/v2") => self.register(user, fields(request, &["username", "password"])?),
            ("GET", "/roster/name") => self.look_up(user, request),
            ("POST", "/user/change_password_admin") => {
                self.change_password(user, fields(request, &["password"])?)
            }
            ("POST", "/group/create") => self.create_group(user, fields(request, &["name", "type"])?),
            ("POST", "/message/send") => self.send(user, request),
            _ => fault("no such call"),
        }
    }

    fn register(&mut self, user: Option<i64>, body: Map<String, Value>) -> Reply {
        expect(user.is_none(), "user_id must be absent")?;
        let (name, password) = (text(&body, "username")?, text(&body, "password")?);
        expect(!name.is_empty() && !password.is_empty(), "username and password must not be empty")?;
        if self.accounts.contains_key(&name) {
            return Err((EXISTS, "username already exists".to_owned()));
        }
        let id = self.next_id();
        self.accounts.insert(name, Account { id, password });
        Ok(json!({"user_id": id}))
    }

    fn look_up(&mut self, user: Option<i64>, request: &Request) -> Reply {
        expect(user.is_none() && request.body.is_empty(), "user_id and body must be absent")?;
        let pairs: Vec<_> = request.url.query_pairs().collect();
        let [(key, name)] = &pairs[..] else { return fault("one query parameter") };
        expect(key == "username", "the query parameter is username")?;
        let account = self.accounts.get(name.as_ref()).ok_or((10001, "no such user".to_owned()))?;
        Ok(json!({"user_id": account.id, "username": name}))
    }

    fn change_password(&mut self, user: Option<i64>, body: Map<String, Value>) -> Reply {
        let password = text(&body, "password")?;
        let account = self.accounts.values_mut().find(|account| Some(account.id) == user);
        let account = account.ok_or((BAD, "user_id must be an account".to_owned()))?;
        account.password = password;
        Ok(json!(true))
    }

    fn create_group(&mut self, user: Option<i64>, body: Map<String, Value>) -> Reply {
        let owner =
            user.filter(|id| self.knows(*id)).ok_or((BAD, "user_id must be an account".to_owned()))?;
        expect(number(&body, "type")? == 2, "type must be 2")?;
        let name = text(&body, "name")?;
        let id = self.next_id();
        self.groups.insert(id, Group { owner, name });
        Ok(json!({"group_id": id}))
    }

    fn send(&mut self, user: Option<i64>, request: &Request) -> Reply {
        let mut names = vec!["type", "targets", "content_type", "content", "attachment"];
        names.extend(user.map(|_| "from_user_id"));
        let body = fields(request, &names)?;
        if let Some(user) = user {
            expect(number(&body, "from_user_id")? == user, "from_user_id must be the user_id")?;
            expect(self.knows(user), "user_id must be an account")?;
        }
        let to_group = match number(&body, "type")? {
            1 => false,
            2 => true,
            _ => return fault("type must be 1 or 2"),
        };
        let Some([target]) = body["targets"].as_array().map(Vec::as_slice) else {
            return fault("one target");
        };
        let target = target.as_i64().ok_or((BAD, "a target is a number".to_owned()))?;
        let known = if to_group { self.groups.contains_key(&target) } else { self.knows(target) };
        expect(known, "the target must exist")?;
        expect(number(&body, "content_type")? == 6, "content_type must be 6")?;
        expect(text(&body, "attachment")?.is_empty(), "attachment must be empty")?;
        let content = object(&Value::String(text(&body, "content")?), &["action", "data"])?;
        let action = text(&content, "action")?;
        self.sent.push(Sent { from: user, to_group, target, action, data: content["data"].clone() });
        Ok(json!(true))
    }

    fn knows(&self, user: i64) -> bool {
        self.accounts.values().any(|account| account.id == user)
    }

    fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }
}

/// The `data` of a success, or the code and message of a refusal.
type Reply = Result<Value, (i64, String)>;

fn fault<T>(what: &str) -> Result<T, (i64, String)> {
    Err((BAD, what.to_owned()))
}

fn expect(holds: bool, what: &str) -> Result<(), (i64, String)> {
    if holds { Ok(()) } else { fault(what) }
}

fn header(request: &Request, name: &str) -> Result<Option<String>, (i64, String)> {
    let values: Vec<_> = request.headers.get_all(name).iter().collect();
    match values[..] {
        [] => Ok(None),
        [value] => Ok(Some(value.to_str().unwrap().to_owned())),
        _ => fault(&format!("{name} more than once")),
    }
}

/// The JSON body, with exactly these fields.
fn fields(request: &Request, names: &[&str]) -> Result<Map<String, Value>, (i64, String)> {
    expect(header(request, "content-type")?.as_deref() == Some("application/json"), "content-type")?;
    expect(request.url.query().is_none(), "no query")?;
    object(&Value::String(String::from_utf8_lossy(&request.body).into_owned()), names)
}

/// The object in a JSON text, with exactly these fields.
fn object(json: &Value, names: &[&str]) -> Result<Map<String, Value>, (i64, String)> {
    let parsed = serde_json::from_str(json.as_str().unwrap_or_default());
    let Ok(Value::Object(object)) = parsed else { return fault("not a JSON object") };
    let mut found: Vec<_> = object.keys().map(String::as_str).collect();
    let mut wanted = names.to_vec();
    found.sort_unstable();
    wanted.sort_unstable();
    expect(found == wanted, &format!("fields {found:?} instead of {wanted:?}"))?;
    Ok(object)
}

fn text(body: &Map<String, Value>, name: &str) -> Result<String, (i64, String)> {
    body[name].as_str().map(str::to_owned).ok_or((BAD, format!("{name} must be a string")))
}

fn number(body: &Map<String, Value>, name: &str) -> Result<i64, (i64, String)> {
    body[name].as_i64().ok_or((BAD, format!("{name} must be an integer")))
}
