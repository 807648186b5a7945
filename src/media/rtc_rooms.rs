//! Who is in an RTC room, as Qiniu's RTC service tells.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::future::Cache;
use reqwest::{Client, Method, Request};
use serde::Deserialize;
use url::Url;

use crate::auth::{Credentials, SignatureError, outgoing};
use crate::http_client;
use config::RtcConfig;

/// For a call as a whole.
const DEADLINE: Duration = Duration::from_secs(2);
/// How long an answer is repeated.
const LIFE: Duration = Duration::from_secs(1);
/// How long the service is left alone after it did not answer, so that not every list waits for it.
const REST: Duration = Duration::from_secs(5);
/// A longer answer is not read.
const MAX_ANSWER_BYTES: usize = 1 << 20;
const CAPACITY: u64 = 10_000;

/// The users who are in an RTC room.
pub type OnlineUsers = Arc<HashSet<String>>;

/// Asks the RTC service, once per room and second for all callers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RtcRooms {
    app_id: String,
    api_url: String,
    keys: Credentials,
    client: Client,
    answers: Cache<String, Option<OnlineUsers>>,
    resting_until: Arc<Mutex<Option<Instant>>>,
}

/// Why the RTC service could not be asked.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("rtc.api_url: not a URL")]
    NotAUrl,
    #[error("the request could not be signed")]
    Signature(#[from] SignatureError),
    #[error("it does not answer")]
    Unreachable(#[source] reqwest::Error),
    #[error("it does not answer in time")]
    TimedOut,
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("its answer is {0}")]
    Garbage(&'static str),
}

impl AskError {
    /// Whether it would fail for other rooms too, perhaps as slowly.
    fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut => true,
            Self::Status(status) => matches!(status, 401 | 403 | 500..=599),
            Self::NotAUrl | Self::Signature(_) | Self::Garbage(_) => false,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    users: Vec<UserInRoom>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserInRoom {
    user_id: String,
}

impl RtcRooms {
    /// The rooms of the RTC app that `config` names, asked for with the `account` keys.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(config: &RtcConfig, keys: Credentials) -> reqwest::Result<Self> {
        let client = http_client::builder().build()?;
        let answers = Cache::builder().max_capacity(CAPACITY).time_to_live(LIFE).build();
        Ok(Self {
            app_id: config.app_id.clone(),
            api_url: config.api_url.trim_end_matches('/').to_owned(),
            keys,
            client,
            answers,
            resting_until: Arc::default(),
        })
    }

    /// The users in the RTC room of `live_id`, as of at most a second ago; None when it is not
    /// known, since no RTC app is configured or the service does not answer.
    pub async fn online(&self, live_id: &str) -> Option<OnlineUsers> {
        if self.app_id.is_empty() || self.keys.is_empty() {
            return None;
        }
        self.answers.get_with_by_ref(live_id, self.ask_unless_resting(live_id)).await
    }

    /// Drops the answer of a room: somebody is about to come.
    pub async fn forget(&self, live_id: &str) {
        self.answers.invalidate(live_id).await;
    }

    async fn ask_unless_resting(&self, live_id: &str) -> Option<OnlineUsers> {
        if self.is_resting() {
            return None;
        }
        let asked = tokio::time::timeout(DEADLINE, self.ask(live_id)).await;
        match asked.unwrap_or(Err(AskError::TimedOut)) {
            Ok(users) => Some(Arc::new(users)),
            Err(error) => {
                let cause = &error as &dyn std::error::Error;
                if error.is_outage() {
                    tracing::warn!(error = cause, "the RTC service is left alone for {} s", REST.as_secs());
                    self.rest();
                } else {
                    tracing::debug!(error = cause, live_id, "the RTC service does not know who is online");
                }
                None
            }
        }
    }

    async fn ask(&self, live_id: &str) -> Result<HashSet<String>, AskError> {
        let mut request = Request::new(Method::GET, self.url(live_id)?);
        outgoing::authorize(&self.keys, &mut request)?;
        let response = http_client::execute(&self.client, request, "rtc").await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(AskError::Status(response.status().as_u16()));
        }
        let body = http_client::bounded_body(response, MAX_ANSWER_BYTES).await.map_err(unreachable)?;
        let body = body.ok_or(AskError::Garbage("too long"))?;
        let answer: Answer =
            serde_json::from_slice(&body).map_err(|_| AskError::Garbage("not the JSON of a list"))?;
        Ok(answer.users.into_iter().map(|user| user.user_id).collect())
    }

    fn url(&self, live_id: &str) -> Result<Url, AskError> {
        let mut url = Url::parse(&self.api_url).ok().filter(Url::has_host).ok_or(AskError::NotAUrl)?;
        let segments = ["v3", "apps", &self.app_id, "rooms", live_id, "users"];
        url.path_segments_mut().map_err(|()| AskError::NotAUrl)?.pop_if_empty().extend(segments);
        Ok(url)
    }

    fn is_resting(&self) -> bool {
        let until = *self.resting_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn rest(&self) {
        *self.resting_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
    }
}

fn unreachable(error: reqwest::Error) -> AskError {
    AskError::Unreachable(error.without_url())
}
