//! A stand-in for Pili's save-as that is stricter than the original: a call that is not signed, has
//! another path, other fields or a file name that another span has is a fault, and a fault fails the
//! test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sha1::Sha1;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::fake::{Mood, assert_no_faults};

/// A span of a stream that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSpan {
    pub stream: String,
    pub start: i64,
    pub end: i64,
}

#[derive(Default)]
struct State {
    mood: Mood,
    files: BTreeMap<String, SavedSpan>,
    calls: usize,
    faults: Vec<String>,
}

/// The service. Dropping it fails the test when a call was faulty.
pub struct FakePili {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

impl FakePili {
    /// A service of that hub, which knows the account's keys.
    pub async fn start(hub: &str, keys: (&str, &str)) -> Self {
        let server = MockServer::start().await;
        let state = Arc::new(Mutex::new(State::default()));
        let service = Service {
            hub: hub.to_owned(),
            access_key: keys.0.to_owned(),
            secret_key: keys.1.to_owned(),
            state: Arc::clone(&state),
        };
        Mock::given(any()).respond_with(service).mount(&server).await;
        Self { server, state }
    }

    /// `pili.api_url` that leads here.
    pub fn url(&self) -> String {
        self.server.uri()
    }

    pub fn set_mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// What was saved, by the name of the file.
    pub fn files(&self) -> BTreeMap<String, SavedSpan> {
        self.state().files.clone()
    }

    /// How many calls there were, whatever became of them.
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for FakePili {
    fn drop(&mut self) {
        let faults = self.state().faults.clone();
        assert_no_faults("Pili", &faults);
    }
}

struct Service {
    hub: String,
    access_key: String,
    secret_key: String,
    state: Arc<Mutex<State>>,
}

impl Respond for Service {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        let checked = self.check(request);
        let (fname, span) = match checked.and_then(|found| state.keep_apart(found)) {
            Ok(found) => found,
            Err(fault) => {
                state.faults.push(fault);
                return ResponseTemplate::new(401);
            }
        };
        let saved = json!({"fname": fname, "start": span.start, "end": span.end, "persistentID": "job"});
        let saved = ResponseTemplate::new(200).set_body_json(saved);
        let mood = state.mood.clone();
        if matches!(mood, Mood::Well) {
            state.files.insert(fname, span);
        }
        mood.answer(request, || saved)
    }
}

impl Service {
    fn check(&self, request: &Request) -> Result<(String, SavedSpan), String> {
        let stream = self.stream(request)?;
        self.check_signature(request)?;
        let body: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
        let mut names: Vec<&str> =
            body.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let (start, end) = (body["start"].as_i64(), body["end"].as_i64());
        match (names.as_slice(), body["fname"].as_str(), start.zip(end)) {
            (["end", "fname", "start"], Some(fname), Some((start, end)))
                if !fname.is_empty() && fname.chars().count() <= 255 && 0 < start && start <= end =>
            {
                Ok((fname.to_owned(), SavedSpan { stream, start, end }))
            }
            _ => Err(format!("the body {body}")),
        }
    }

    fn stream(&self, request: &Request) -> Result<String, String> {
        let wrong = || format!("{} {}", request.method, request.url);
        let encoded = request.url.path().strip_prefix(&format!("/v2/hubs/{}/streams/", self.hub));
        let encoded = encoded.and_then(|rest| rest.strip_suffix("/saveas")).ok_or_else(wrong)?;
        let bytes = URL_SAFE.decode(encoded).map_err(|error| format!("{}: {error}", wrong()))?;
        let is_plain = request.method.as_str() == "POST" && request.url.query().is_none();
        String::from_utf8(bytes).ok().filter(|_| is_plain).ok_or_else(wrong)
    }

    /// signing.md §1, made here from its text alone.
    fn check_signature(&self, request: &Request) -> Result<(), String> {
        let header = |name: &str| {
            let value = request.headers.get(name).ok_or(format!("no {name}"))?;
            value.to_str().map(str::to_owned).map_err(|error| error.to_string())
        };
        let path = percent_decode_str(request.url.path()).decode_utf8().map_err(|error| error.to_string())?;
        let mut text =
            format!("POST {path}\nHost: {}\nContent-Type: {}\n\n", header("host")?, header("content-type")?)
                .into_bytes();
        text.extend_from_slice(&request.body);
        let mut mac = Hmac::<Sha1>::new_from_slice(self.secret_key.as_bytes()).unwrap();
        mac.update(&text);
        let sign = URL_SAFE.encode(mac.finalize().into_bytes());
        let (wanted, found) = (format!("Qiniu {}:{sign}", self.access_key), header("authorization")?);
        if found == wanted { Ok(()) } else { Err(format!("Authorization {found} instead of {wanted}")) }
    }
}

impl State {
    /// A name may be used again for its own span alone.
    fn keep_apart(&self, found: (String, SavedSpan)) -> Result<(String, SavedSpan), String> {
        match self.files.get(&found.0) {
            Some(other) if *other != found.1 => Err(format!("{} is {other:?}, not {:?}", found.0, found.1)),
            _ => Ok(found),
        }
    }
}
