//! What the stand-ins for services outside have in common.

use std::time::Duration;

use wiremock::{Request, ResponseTemplate};

/// How a service feels.
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
}

impl Mood {
    /// The answer to `request` in this mood; `serve` makes that of a service that works.
    pub fn answer(self, request: &Request, serve: impl FnOnce() -> ResponseTemplate) -> ResponseTemplate {
        match self {
            Self::Well => serve(),
            Self::Slow(delay) => serve().set_delay(delay),
            Self::Garbage(bytes) => ResponseTemplate::new(200).set_body_raw(bytes, "application/json"),
            Self::Status(status) => ResponseTemplate::new(status)
                .insert_header("location", request.url.as_str())
                .set_body_string("x"),
        }
    }
}

/// Fails the test, unless it fails already, when calls to `service` were faulty.
pub fn assert_no_faults(service: &str, faults: &[String]) {
    if !std::thread::panicking() {
        assert!(faults.is_empty(), "faulty calls to {service}: {faults:#?}");
    }
}
