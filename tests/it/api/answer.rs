//! An answer, and what can be said of it.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// The body, when it is JSON.
    pub json: Option<Value>,
    what: String,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text: String = String::from_utf8_lossy(&self.body).chars().take(600).collect();
        write!(f, "{} -> {} {text}", self.what, self.status)
    }
}

impl Answer {
    /// An answer to the request that `what` describes.
    pub fn new(what: String, status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        let json = serde_json::from_slice(&body).ok();
        Self { status, headers, body, json, what }
    }

    /// A header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The code of the envelope.
    pub fn code(&self) -> i64 {
        self.field("code").as_i64().unwrap_or(-1)
    }

    /// The message of the envelope.
    pub fn message(&self) -> &str {
        self.field("message").as_str().unwrap_or_default()
    }

    /// The request id of the envelope.
    pub fn request_id(&self) -> &str {
        self.field("request_id").as_str().unwrap_or_default()
    }

    fn field(&self, name: &str) -> &Value {
        self.json.as_ref().and_then(|json| json.get(name)).unwrap_or(&Value::Null)
    }

    /// Panics unless this is the envelope of http-api.md §1.
    #[track_caller]
    pub fn assert_envelope(&self) {
        self.envelope().unwrap_or_else(|why| panic!("{why}"));
    }

    /// What is wrong with the envelope of http-api.md §1, if something is.
    pub fn envelope(&self) -> Result<(), String> {
        let ensure = |holds: bool, why: &str| if holds { Ok(()) } else { Err(format!("{why}: {self:?}")) };
        let object =
            self.json.as_ref().and_then(Value::as_object).ok_or(format!("no JSON object: {self:?}"))?;
        ensure(self.header("content-type").starts_with("application/json"), "the content type is not JSON")?;
        let known = ["request_id", "code", "message", "data"];
        ensure(object.keys().all(|name| known.contains(&name.as_str())), "a field that no envelope has")?;
        ensure(!self.request_id().is_empty(), "no request_id")?;
        ensure(self.request_id() == self.header("x-reqid"), "X-Reqid and request_id differ")?;
        ensure(self.field("message").is_string() && self.field("code").is_i64(), "message and code")?;
        ensure((self.status == 200) == (self.code() == 0), "code 0 and status 200 go together")
    }

    /// The data of a success; panics when this is none.
    #[track_caller]
    pub fn ok(&self) -> &Value {
        assert!(self.status == 200 && self.code() == 0, "expected success: {self:?}");
        assert_eq!(self.message(), "success", "the message of a success: {self:?}");
        self.field("data")
    }

    /// Panics unless this is a success without `data`.
    #[track_caller]
    pub fn done(&self) {
        self.ok();
        let object = self.json.as_ref().and_then(Value::as_object).expect("an envelope");
        assert!(!object.contains_key("data"), "expected no data: {self:?}");
    }

    /// Panics unless this is an error with that status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: i64) -> &Self {
        assert!(self.status == status && self.code() == code, "expected {status}, code {code}: {self:?}");
        self
    }

    /// Panics unless this is 400 with a message that is more than the name of the status.
    #[track_caller]
    pub fn bad(&self) -> &Self {
        self.refused(400, 400);
        assert!(!["", "Bad Request"].contains(&self.message()), "says which field and why: {self:?}");
        self
    }

    /// Panics unless the input was refused with a message that names `field`.
    #[track_caller]
    pub fn bad_in(&self, field: &str) {
        assert!(self.bad().message().contains(field), "the message names {field:?}: {self:?}");
    }

    /// Panics unless this is 401 as the table has it.
    #[track_caller]
    pub fn unauthorized(&self) {
        self.refused(401, 401).says("Unauthorized");
    }

    /// Panics unless this is 403 with a reason.
    #[track_caller]
    pub fn forbidden(&self) {
        assert!(!self.refused(403, 403).message().is_empty(), "says why: {self:?}");
    }

    /// Panics unless this is 404 as the table has it.
    #[track_caller]
    pub fn not_found(&self) {
        self.refused(404, 404).says("Not Found");
    }

    /// Panics unless the message is exactly `message`.
    #[track_caller]
    pub fn says(&self, message: &str) {
        assert_eq!(self.message(), message, "{self:?}");
    }
}
