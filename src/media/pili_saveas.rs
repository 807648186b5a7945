//! Pili's "save-as": keeps a span of a live stream as a file (developer.qiniu.com/pili/2777).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use reqwest::{Client, Request};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::auth::{Credentials, SignatureError, outgoing};
use crate::http_client;
use config::PiliConfig;

/// For the whole call.
const DEADLINE: Duration = Duration::from_secs(3);
/// A longer answer is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The width of the columns that keep what the service answers.
const MAX_TEXT_CHARS: usize = 255;

/// Why a span was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveAsError {
    /// The HTTP client could not be made.
    #[error("the client of Pili could not be made")]
    Setup(#[source] reqwest::Error),
    /// There is no hub, or no account to sign with.
    #[error("pili.hub and the account keys are needed to save recordings")]
    NotConfigured,
    /// `pili.api_url` with the hub and the stream is no URL.
    #[error("pili.api_url: not a URL")]
    Address,
    /// The call cannot be signed.
    #[error("the call to Pili cannot be signed")]
    Unsignable(#[source] SignatureError),
    /// No answer, or none in time.
    #[error("Pili cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// An answer other than 200, a redirect for example, or 619: there was no stream in the span.
    #[error("Pili answered {0}")]
    Status(u16),
    /// An answer that is none.
    #[error("Pili's answer is {0}")]
    Garbage(&'static str),
}

/// What to keep, and under which name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span<'a> {
    /// The name of the file; saving under the same name again replaces it.
    pub fname: &'a str,
    /// Unix seconds.
    pub start: i64,
    /// Unix seconds.
    pub end: i64,
}

/// A span that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Saved {
    /// The name of the file, at most 255 characters.
    pub fname: String,
    /// The job that still works on it, where there is one; at most 255 characters.
    #[serde(rename = "persistentID", default)]
    pub persistent_id: Option<String>,
}

/// Saves spans of streams. Cheap to clone; `Debug` shows no secret key.
#[derive(Clone, Debug)]
pub struct PiliSaveAs {
    api_url: String,
    hub: String,
    keys: Credentials,
    client: Client,
}

impl PiliSaveAs {
    /// Saves from the hub of the section, signed with the account's keys.
    ///
    /// # Errors
    /// [`SaveAsError::Setup`]. What is missing in the section is told at each use.
    pub fn new(config: &PiliConfig, keys: Credentials) -> Result<Self, SaveAsError> {
        let client = http_client::builder().timeout(DEADLINE).build();
        let client = client.map_err(SaveAsError::Setup)?;
        let api_url = config.api_url.trim_end_matches('/').to_owned();
        Ok(Self { api_url, hub: config.hub.clone(), keys, client })
    }

    /// Keeps a span of `stream`. Answers within 3 seconds.
    ///
    /// # Errors
    /// When it is unknown whether the file was made, or known that it was not.
    pub async fn save(&self, stream: &str, span: Span<'_>) -> Result<Saved, SaveAsError> {
        if self.hub.is_empty() || self.keys.is_empty() {
            return Err(SaveAsError::NotConfigured);
        }
        let request = self.request(stream, span)?;
        let response = http_client::execute(&self.client, request, "pili").await;
        let response = response.map_err(unreachable)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(SaveAsError::Status(response.status().as_u16()));
        }
        let body = http_client::bounded_body(response, MAX_ANSWER_BYTES).await.map_err(unreachable)?;
        let body = body.ok_or(SaveAsError::Garbage("too long"))?;
        let saved: Saved =
            serde_json::from_slice(&body).map_err(|_| SaveAsError::Garbage("not that of a saved span"))?;
        let texts = [Some(&saved.fname), saved.persistent_id.as_ref()];
        if saved.fname.is_empty() || texts.iter().flatten().any(|text| is_too_long(text)) {
            return Err(SaveAsError::Garbage("without a usable file name"));
        }
        Ok(saved)
    }

    fn request(&self, stream: &str, span: Span<'_>) -> Result<Request, SaveAsError> {
        let mut url = Url::parse(&self.api_url).map_err(|_| SaveAsError::Address)?;
        url.path_segments_mut().map_err(|()| SaveAsError::Address)?.pop_if_empty().extend([
            "v2",
            "hubs",
            &self.hub,
            "streams",
            &URL_SAFE.encode(stream),
            "saveas",
        ]);
        let built = self.client.post(url).json(&span).build();
        let mut request = built.map_err(unreachable)?;
        outgoing::authorize(&self.keys, &mut request).map_err(SaveAsError::Unsignable)?;
        Ok(request)
    }
}

fn is_too_long(text: &str) -> bool {
    text.chars().count() > MAX_TEXT_CHARS
}

fn unreachable(error: reqwest::Error) -> SaveAsError {
    SaveAsError::Unreachable(error.without_url())
}
