//! Publishing, reading and the smaller requests.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::request::Request;
use super::subscribe::{Refused, position};
use super::{Session, login_of};
use crate::moderation;
use crate::rest::{ApiError, Invalid};
use common::failure::{Failure, Kind as ErrorKind, Wait};
use common::page::Paging;
use realtime::message::{OF_SERVER, push_publications};
use realtime::{Channel, Draft, Kind};
use store::broker::RateLimits;

/// Bytes of a message, its action and its data as they were sent.
const MAX_MESSAGE: usize = 4096;
/// Characters of an action.
const MAX_ACTION: usize = 64;
/// Users that `presence` shows.
const SHOWN: u64 = 100;
/// Messages that `history` shows: by default, and at most.
const HISTORY: (usize, usize) = (50, 200);

/// A message that is not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("params.action: only the server sends `{0}`")]
    OfServer(String),
    #[error("a message may have {MAX_MESSAGE} bytes, this has {0}")]
    TooLarge(usize),
    #[error("the user is in none of your rooms")]
    OutOfReach,
    #[error("there is no method `{0}`")]
    NoMethod(String),
    #[error("the token is another user's")]
    NotYours,
    #[error("so much was read, try again in {}", Wait(*.0))]
    TooMuch(Duration),
}

impl Failure for NotTaken {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::TooMuch(wait) => ErrorKind::RateLimited(*wait),
            Self::OfServer(_) | Self::OutOfReach | Self::NotYours => ErrorKind::Forbidden,
            Self::TooLarge(_) => ErrorKind::TooLarge,
            Self::NoMethod(_) => ErrorKind::Invalid,
        }
    }
}

#[derive(Deserialize)]
struct Publish {
    channel: String,
    action: String,
    data: Box<RawValue>,
}

#[derive(Deserialize)]
struct Read {
    channel: String,
    #[serde(default)]
    epoch: Option<String>,
    #[serde(default)]
    offset: Option<u64>,
    #[serde(default)]
    limit: Option<usize>,
}

#[derive(Deserialize)]
struct Presence {
    channel: String,
}

#[derive(Deserialize)]
struct Refresh {
    token: String,
}

impl Session {
    /// Does what is asked for and answers it.
    pub(super) async fn handle(&mut self, request: &Request<'_>) -> Result<(), ApiError> {
        match &*request.method {
            "subscribe" => self.subscribe(request).await,
            "unsubscribe" => self.unsubscribe(request),
            "publish" => self.publish(request).await,
            "history" => self.history(request).await,
            "presence" => self.presence(request).await,
            "refresh" => self.refresh(request).await,
            "ping" => {
                self.answer(request.id, "{}");
                Ok(())
            }
            other => Err(NotTaken::NoMethod(other.chars().take(32).collect()).into()),
        }
    }

    async fn publish(&mut self, request: &Request<'_>) -> Result<(), ApiError> {
        let params: Publish = request.params()?;
        let channel = self.open_channel(&params.channel)?;
        check_action(&params.action)?;
        let size = params.action.len() + params.data.get().len();
        if size > MAX_MESSAGE {
            return Err(NotTaken::TooLarge(size).into());
        }
        let Some(user_id) = self.connection.user_id() else { return Err(Refused::NotYours.into()) };
        self.parts.limit.check(Arc::clone(&user_id), Arc::clone(channel.name()))?;
        let text = moderation::texts_of(params.data.get())
            .map_err(|error| Invalid(format!("params.data: {error}")))?;
        let limits = match channel.kind() {
            Kind::Room => {
                self.may_follow(&channel).await?;
                let rules = self.parts.moderation.may_publish(channel.id(), &user_id, &text).await?;
                let user = rules.slow.map(|slow| (&*user_id, slow));
                RateLimits { per_second: self.parts.limit.per_room, user }
            }
            _ => {
                self.may_reach(&user_id, channel.id()).await?;
                self.parts.moderation.may_say(&text).await?;
                RateLimits::default()
            }
        };
        let draft = Draft { from: &user_id, action: &params.action, data: &params.data };
        let position = self.local.hub().publish(&channel, &draft, limits).await?;
        self.answer(request.id, &format!(r#"{{"offset":{}}}"#, position.offset));
        Ok(())
    }

    /// Whether a user may write to another: both are in one room, or in two that are in a PK.
    async fn may_reach(&self, user_id: &str, other: &str) -> Result<(), ApiError> {
        if user_id == other {
            return Ok(());
        }
        let (lives, relays) = (&self.parts.lives, &self.parts.relays);
        let followed = self.connection.channels();
        let rooms = followed.iter().filter_map(|name| Channel::parse(name));
        for room in rooms.filter(|channel| channel.kind() == Kind::Room) {
            if lives.is_in_room(room.id(), other).await? {
                return Ok(());
            }
            let pk_id = lives.room(room.id()).await?.pk_id.clone();
            if pk_id.is_empty() {
                continue;
            }
            let pk = relays.find(&pk_id).await?;
            let peer = if pk.init_room_id == room.id() { pk.recv_room_id } else { pk.init_room_id };
            if lives.is_in_room(&peer, other).await? {
                return Ok(());
            }
        }
        Err(NotTaken::OutOfReach.into())
    }

    async fn history(&mut self, request: &Request<'_>) -> Result<(), ApiError> {
        let params: Read = request.params()?;
        let channel = self.open_channel(&params.channel)?;
        self.may_follow(&channel).await?;
        let (default, most) = HISTORY;
        let limit = params.limit.unwrap_or(default);
        if !(1..=most).contains(&limit) {
            return Err(Invalid(format!("params.limit: must be 1 to {most}")).into());
        }
        let wait = self.history.wait(self.local.now());
        if !wait.is_zero() {
            return Err(NotTaken::TooMuch(wait).into());
        }
        let since = position(params.epoch.as_deref(), params.offset);
        let history = self.local.hub().history(&channel, since, limit).await?;
        let mut json = format!(
            r#"{{"epoch":"{}","offset":{},"complete":{},"publications":"#,
            history.position.epoch, history.position.offset, history.is_complete
        );
        push_publications(&mut json, history.publications.iter());
        json.push('}');
        self.history.pay(self.local.now(), json.len());
        self.answer(request.id, &json);
        Ok(())
    }

    async fn presence(&mut self, request: &Request<'_>) -> Result<(), ApiError> {
        let params: Presence = request.params()?;
        let channel = self.open_channel(&params.channel)?;
        if channel.kind() != Kind::Room {
            return Err(Invalid("params.channel: must be a room".to_owned()).into());
        }
        self.may_follow(&channel).await?;
        let online_count = self.parts.lives.online_count(channel.id()).await?;
        let users = self.parts.lives.users(channel.id(), Paging { num: 1, size: SHOWN }).await?;
        let json = serde_json::json!({ "online_count": online_count, "users": users.list });
        self.answer(request.id, &json.to_string());
        Ok(())
    }

    async fn refresh(&mut self, request: &Request<'_>) -> Result<(), ApiError> {
        let params: Refresh = request.params()?;
        let client = self.parts.authenticator.client_of(&params.token).await?;
        if self.connection.user_id().as_deref() != Some(client.user_id()) {
            return Err(NotTaken::NotYours.into());
        }
        self.local.authenticate(&self.connection, login_of(&client));
        self.answer(request.id, &format!(r#"{{"expires_at":{}}}"#, client.expires_at()));
        Ok(())
    }
}

fn check_action(action: &str) -> Result<(), ApiError> {
    let is_name = (1..=MAX_ACTION).contains(&action.len())
        && action.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !is_name {
        let what = format!("params.action: must be 1 to {MAX_ACTION} letters, digits, `_` and `-`");
        return Err(Invalid(what).into());
    }
    if OF_SERVER.contains(&action) {
        return Err(NotTaken::OfServer(action.to_owned()).into());
    }
    Ok(())
}
