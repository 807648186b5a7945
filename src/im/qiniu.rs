//! Qiniu's IM cloud (maximtop, "Lanying IM"), through the REST API of its servers.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder};
use serde::Serialize;
use url::Url;

use super::qiniu_wire::{Answer, ChangePassword, CreateGroup, Register, Send};
use super::{ImError, Message};
use crate::http_client;
use config::Secret;

const APP_ID: HeaderName = HeaderName::from_static("app_id");
const ACCESS_TOKEN: HeaderName = HeaderName::from_static("access-token");
const USER_ID: HeaderName = HeaderName::from_static("user_id");

/// For an operation as a whole, be it one call or three.
const DEADLINE: Duration = Duration::from_secs(3);
/// A longer answer is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The client. Cheap to clone; `Debug` shows no token.
#[derive(Clone, Debug)]
pub struct QiniuIm {
    app_id: String,
    endpoint: String,
    client: Client,
    deadline: Duration,
}

impl QiniuIm {
    /// A client of the service at `endpoint` (`https://host[:port][/path]`), which acts for the app
    /// `app_id` with an administrator's `token`. An endpoint that is not a URL fails at each use.
    pub fn new(app_id: &str, endpoint: &str, token: &Secret) -> Result<Self, ImError> {
        let mut secret =
            HeaderValue::from_str(token.expose()).map_err(|error| ImError::Setup(error.into()))?;
        secret.set_sensitive(true);
        let app = HeaderValue::from_str(app_id).map_err(|error| ImError::Setup(error.into()))?;
        let client = http_client::builder()
            .default_headers(HeaderMap::from_iter([(APP_ID, app), (ACCESS_TOKEN, secret)]))
            .build()
            .map_err(|error| ImError::Setup(error.into()))?;
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Ok(Self { app_id: app_id.to_owned(), endpoint, client, deadline: DEADLINE })
    }

    /// With another deadline for each operation than the default of 3 seconds.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(super) fn app_id(&self) -> &str {
        &self.app_id
    }

    pub(super) async fn register(&self, username: &str, password: &str) -> Result<i64, ImError> {
        self.in_time(self.register_or_adopt(username, password)).await
    }

    pub(super) async fn create_chatroom(&self, owner: i64, name: &str) -> Result<i64, ImError> {
        let call = self.post("/group/create", Some(owner), CreateGroup::chatroom(name));
        self.in_time(call).await?.id("group_id")
    }

    pub(super) async fn send(&self, message: &Message) -> Result<(), ImError> {
        let call =
            self.post("/message/send", message.from.as_ref().map(|from| from.number), Send::from(message));
        self.in_time(call).await?.success().map(drop)
    }

    /// A name that exists is ours all the same: its account gets the new password.
    async fn register_or_adopt(&self, username: &str, password: &str) -> Result<i64, ImError> {
        let answer = self.post("/user/register/v2", None, Register { username, password }).await?;
        if !answer.says_exists() {
            return answer.id("user_id");
        }
        let user_id = self.user_id(username).await?;
        let change = self.post("/user/change_password_admin", Some(user_id), ChangePassword { password });
        change.await?.success()?;
        Ok(user_id)
    }

    async fn user_id(&self, username: &str) -> Result<i64, ImError> {
        let mut url = self.url("/roster/name")?;
        url.query_pairs_mut().append_pair("username", username);
        read(self.client.request(Method::GET, url)).await?.id("user_id")
    }

    async fn post(&self, path: &str, as_user: Option<i64>, body: impl Serialize) -> Result<Answer, ImError> {
        let mut request = self.client.request(Method::POST, self.url(path)?).json(&body);
        if let Some(user_id) = as_user {
            request = request.header(USER_ID, user_id);
        }
        read(request).await
    }

    fn url(&self, path: &str) -> Result<Url, ImError> {
        let url = Url::parse(&format!("{}{path}", self.endpoint));
        let url = url.map_err(|error| ImError::Unreachable(error.into()))?;
        if url.has_host() { Ok(url) } else { Err(ImError::Unreachable("im.endpoint: not a URL".into())) }
    }

    async fn in_time<T>(&self, operation: impl Future<Output = Result<T, ImError>>) -> Result<T, ImError> {
        tokio::time::timeout(self.deadline, operation).await.unwrap_or(Err(ImError::TimedOut))
    }
}

async fn read(request: RequestBuilder) -> Result<Answer, ImError> {
    let response = http_client::send(request, "im").await.map_err(unreachable)?;
    if !response.status().is_success() {
        return Err(ImError::Status(response.status().as_u16()));
    }
    let body = http_client::bounded_body(response, MAX_ANSWER_BYTES).await.map_err(unreachable)?;
    let body = body.ok_or(ImError::Garbage("too long"))?;
    serde_json::from_slice(&body).map_err(|_| ImError::Garbage("not the JSON of an answer"))
}

/// The URL may hold a user's name.
fn unreachable(error: reqwest::Error) -> ImError {
    ImError::Unreachable(error.without_url().into())
}
