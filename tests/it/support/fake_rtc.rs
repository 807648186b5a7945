//! A stand-in for Qiniu's RTC service that checks what it is sent: a call that is not signed over
//! exactly its path and host is a fault, and a fault fails the test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use serde_json::json;
use sha1::Sha1;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::fake::{Mood, assert_no_faults};

struct State {
    app_id: String,
    keys: (String, String),
    mood: Mood,
    rooms: BTreeMap<String, Vec<String>>,
    asked: Vec<String>,
    faults: Vec<String>,
}

/// The service. Dropping it fails the test when a call was faulty.
pub struct FakeRtc {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

impl FakeRtc {
    /// Starts one that knows the app `app_id` and the keys of one account.
    pub async fn start(app_id: &str, access_key: &str, secret_key: &str) -> Self {
        let server = MockServer::start().await;
        let state = Arc::new(Mutex::new(State {
            app_id: app_id.to_owned(),
            keys: (access_key.to_owned(), secret_key.to_owned()),
            mood: Mood::Well,
            rooms: BTreeMap::new(),
            asked: Vec::new(),
            faults: Vec::new(),
        }));
        Mock::given(any()).respond_with(Service(Arc::clone(&state))).mount(&server).await;
        Self { server, state }
    }

    /// `http://127.0.0.1:<port>`, for `rtc.api_url`.
    pub fn url(&self) -> String {
        self.server.uri()
    }

    pub fn set_mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Who is in the RTC room, from now on.
    pub fn set_users(&self, room: &str, user_ids: &[&str]) {
        let user_ids = user_ids.iter().map(|id| (*id).to_owned()).collect();
        self.state().rooms.insert(room.to_owned(), user_ids);
    }

    /// How often it was asked for the room, whatever became of it.
    pub fn asked(&self, room: &str) -> usize {
        self.state().asked.iter().filter(|asked| *asked == room).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for FakeRtc {
    fn drop(&mut self) {
        let faults = self.state().faults.clone();
        assert_no_faults("the RTC service", &faults);
    }
}

struct Service(Arc<Mutex<State>>);

impl Respond for Service {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let room = match state.room_of(request) {
            Ok(room) => room,
            Err(why) => {
                state.faults.push(format!("{} {}: {why}", request.method, request.url));
                return ResponseTemplate::new(401).set_body_json(json!({"error": why}));
            }
        };
        let users = state.rooms.get(&room).cloned().unwrap_or_default();
        state.asked.push(room);
        let users: Vec<_> = users.into_iter().map(|id| json!({"userId": id})).collect();
        let answer = ResponseTemplate::new(200).set_body_json(json!({"users": users}));
        state.mood.clone().answer(request, || answer)
    }
}

impl State {
    /// The room that a proper call asks for.
    fn room_of(&self, request: &Request) -> Result<String, String> {
        let expect = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        expect(request.method.as_str() == "GET", "the method")?;
        expect(request.body.is_empty() && request.url.query().is_none(), "a body or a query")?;
        let path = percent_decode_str(request.url.path()).decode_utf8().map_err(|error| error.to_string())?;
        let room = path.strip_prefix(&format!("/v3/apps/{}/rooms/", self.app_id));
        let room = room.and_then(|rest| rest.strip_suffix("/users")).ok_or("the path")?;
        expect(!room.is_empty() && !room.contains('/'), "the room")?;
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        expect(header("content-type").is_none(), "a content type without a body")?;
        let text = format!("GET {path}\nHost: {}\n\n", header("host").ok_or("no Host")?);
        let mut mac = Hmac::<Sha1>::new_from_slice(self.keys.1.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let wanted = format!("Qiniu {}:{}", self.keys.0, URL_SAFE.encode(mac.finalize().into_bytes()));
        expect(header("authorization") == Some(wanted.as_str()), "the signature")?;
        Ok(room.to_owned())
    }
}
