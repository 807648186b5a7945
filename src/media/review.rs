//! Qiniu's review service: jobs that look at a live stream and report what they see
//! (<https://developer.qiniu.com/censor/7118/api-live-censor>).

use std::borrow::Cow;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, Request, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use crate::auth::{Credentials, outgoing};
use crate::http_client;
use common::failure::{Failure, Kind};
use common::json;

/// For a call as a whole.
const DEADLINE: Duration = Duration::from_secs(3);
/// A longer answer is not read. A list has at most 100 jobs.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// A text of the service is cut to this many characters.
const SHOWN_TEXT: usize = 200;
/// A list holds at most this many jobs.
pub const MAX_LISTED: u16 = 100;

/// Why the review service did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// No connection, or `censor.api_url` is not a URL. Whether the service acted is not known.
    #[error("the review service cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer in time. Whether the service acted is not known.
    #[error("the review service did not answer in time")]
    TimedOut,
    /// An HTTP status that says nothing about the call; redirects are not followed.
    #[error("the review service answered with HTTP status {0}")]
    Status(u16),
    /// An answer that is too long, is not JSON, or lacks what was asked for.
    #[error("the answer of the review service cannot be read: {0}")]
    Garbage(&'static str),
    /// The service said no, and has done nothing.
    #[error("the review service refused with code {code}: {message}")]
    Refused {
        /// The service's own code, or the HTTP status.
        code: i64,
        /// The service's own text, shortened.
        message: String,
    },
    /// `account` has no keys to sign with.
    #[error("calls to the review service need account.access_key and account.secret_key")]
    NoKeys,
    /// The HTTP client or the request could not be made.
    #[error("the call to the review service cannot be made")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ReviewError {
    /// Whether the service has done nothing for certain.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::NoKeys => true,
            Self::Status(status) => matches!(status, 400 | 401 | 403 | 404 | 409 | 422),
            _ => false,
        }
    }
}

impl Failure for ReviewError {
    fn kind(&self) -> Kind {
        match self {
            Self::Refused { .. } => Kind::State,
            Self::Setup(_) => Kind::Internal,
            // The operator is told what is away, in place of the common text.
            _ => Kind::NotReady,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        Cow::Owned(self.to_string())
    }
}

/// A job to start.
#[derive(Clone, Debug)]
pub struct NewJob<'a> {
    /// Names the stream; comes back in lists.
    pub id: &'a str,
    /// The stream's address.
    pub uri: &'a str,
    /// What to look for: `pulp`, `terror`, `politician`, `ads`.
    pub scenes: &'a [&'static str],
    /// Milliseconds between two pictures.
    pub interval_msecs: i64,
    /// Where results are posted.
    pub hook_url: &'a str,
    /// Where pictures are kept.
    pub bucket: &'a str,
}

/// Which jobs to list. Serialises to the service's own fields.
#[derive(Clone, Debug, Serialize)]
pub struct ListJobs {
    /// Created from here on, Unix seconds.
    pub start: i64,
    /// Created until here, Unix seconds.
    pub end: i64,
    /// `waiting`, `doing`, `stop` or `finished`.
    pub status: String,
    /// At most [`MAX_LISTED`].
    pub limit: u16,
    /// From a former answer.
    pub marker: String,
}

/// Which results of a job to read. Serialises to the service's own fields.
#[derive(Clone, Debug, Serialize)]
pub struct QueryJob {
    /// The job.
    pub job: String,
    /// `pass`, `review`, `block`; empty for all.
    pub suggestions: Vec<String>,
    /// From here on, Unix seconds.
    pub start: i64,
    /// Until here, Unix seconds.
    pub end: i64,
}

/// The client. Cheap to clone; `Debug` shows no key.
#[derive(Clone, Debug)]
pub struct ReviewClient {
    base: String,
    keys: Credentials,
    client: Client,
}

impl ReviewClient {
    /// A client of the service at `base` (`censor.api_url`) that signs with `keys`. An address that
    /// is not a URL fails at each use.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(base: &str, keys: Credentials) -> Result<Self, ReviewError> {
        let client = http_client::builder().timeout(DEADLINE).build();
        let client = client.map_err(|error| ReviewError::Setup(error.into()))?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), keys, client })
    }

    /// Starts a job and answers its id.
    ///
    /// # Errors
    /// Unless [`ReviewError::is_refusal`], the job may have been started all the same.
    pub async fn start(&self, new: &NewJob<'_>) -> Result<String, ReviewError> {
        let body = json!({
            "data": {"id": new.id, "uri": new.uri},
            "params": {
                "image": {
                    "is_on": true,
                    "scenes": new.scenes,
                    "interval_msecs": new.interval_msecs,
                    "saver": {"bucket": new.bucket, "prefix": ""},
                    // Suspicious pictures alone.
                    "hook_rule": 0,
                },
                "hook_url": new.hook_url,
                "hook_auth": false,
            },
        });
        let data = self.call("/v3/live/censor", &body).await?;
        let job = data.get("job").and_then(Value::as_str).filter(|job| !job.is_empty());
        job.map(str::to_owned).ok_or(ReviewError::Garbage("no job in the data"))
    }

    /// Ends a job.
    ///
    /// # Errors
    /// A job that has ended by itself may be refused.
    pub async fn close(&self, job: &str) -> Result<(), ReviewError> {
        self.call("/v3/live/censor/close", &json!({"job": job})).await.map(drop)
    }

    /// Jobs, as the service tells of them.
    ///
    /// # Errors
    /// The service's.
    pub async fn list(&self, wanted: &ListJobs) -> Result<Value, ReviewError> {
        self.call("/v3/live/censor/list", wanted).await
    }

    /// Results of a job, as the service tells of them.
    ///
    /// # Errors
    /// The service's.
    pub async fn query(&self, wanted: &QueryJob) -> Result<Value, ReviewError> {
        self.call("/v3/live/censor/query", wanted).await
    }

    async fn call(&self, path: &str, body: &impl Serialize) -> Result<Value, ReviewError> {
        let request = self.request(path, body)?;
        let exchange = async {
            let response =
                http_client::execute(&self.client, request, "review").await.map_err(unreachable)?;
            let status = response.status();
            let body = http_client::bounded_body(response, MAX_ANSWER_BYTES).await.map_err(unreachable)?;
            read(status, &body.ok_or(ReviewError::Garbage("too long"))?)
        };
        tokio::time::timeout(DEADLINE, exchange).await.unwrap_or(Err(ReviewError::TimedOut))
    }

    fn request(&self, path: &str, body: &impl Serialize) -> Result<Request, ReviewError> {
        if self.keys.is_empty() {
            return Err(ReviewError::NoKeys);
        }
        let url = Url::parse(&format!("{}{path}", self.base));
        let url = url.map_err(|error| ReviewError::Unreachable(error.into()))?;
        if !url.has_host() {
            return Err(ReviewError::Unreachable("censor.api_url: not a URL".into()));
        }
        let mut request = Request::new(Method::POST, url);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = serde_json::to_vec(body).map_err(|error| ReviewError::Setup(error.into()))?;
        *request.body_mut() = Some(body.into());
        outgoing::authorize(&self.keys, &mut request).map_err(|error| ReviewError::Setup(error.into()))?;
        Ok(request)
    }
}

fn unreachable(error: reqwest::Error) -> ReviewError {
    if error.is_timeout() {
        return ReviewError::TimedOut;
    }
    ReviewError::Unreachable(error.without_url().into())
}

/// The `data` of a success. The service says success with 200, its predecessor with 0.
fn read(status: StatusCode, body: &[u8]) -> Result<Value, ReviewError> {
    let answer: Option<Value> = serde_json::from_slice(&json::readable(body)).ok().filter(Value::is_object);
    if !status.is_success() {
        return Err(match status {
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::CONFLICT => {
                refusal(answer.as_ref(), i64::from(status.as_u16()))
            }
            _ => ReviewError::Status(status.as_u16()),
        });
    }
    let mut answer = answer.ok_or(ReviewError::Garbage("not the JSON of an answer"))?;
    match answer.get("code").and_then(Value::as_i64) {
        Some(0 | 200) => Ok(answer.get_mut("data").map(Value::take).unwrap_or_default()),
        // Not of the job, but of the call or the service.
        Some(code @ (401 | 403 | 408 | 429 | 500..=599)) => {
            Err(ReviewError::Status(u16::try_from(code).unwrap_or(500)))
        }
        Some(code) => Err(refusal(Some(&answer), code)),
        None => Err(ReviewError::Garbage("no code")),
    }
}

fn refusal(answer: Option<&Value>, code: i64) -> ReviewError {
    let text = |name: &str| answer?.get(name)?.as_str().map(str::to_owned);
    let message = text("message").or_else(|| text("error")).unwrap_or_default();
    let code = answer.and_then(|answer| answer.get("code")?.as_i64()).unwrap_or(code);
    ReviewError::Refused { code, message: message.chars().take(SHOWN_TEXT).collect() }
}
