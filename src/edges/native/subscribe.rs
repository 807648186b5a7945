//! Following channels, from now on or from where one was.

use serde::Deserialize;
use tokio::time::sleep;

use super::Session;
use super::request::Request;
use crate::live;
use crate::rest::{ApiError, Invalid};
use common::failure::{Failure, Kind as ErrorKind};
use realtime::message::{push_publications, push_text};
use realtime::{Channel, HubError, Kind};
use store::broker::{Epoch, Position, Publication};

/// Why a channel is not for this user.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("you are not in the room")]
    NotInRoom,
    #[error("the channel is another user's")]
    NotYours,
    #[error("there is no such channel")]
    Unknown,
    #[error("a connection may follow {0} channels")]
    TooMany(usize),
}

impl Failure for Refused {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotInRoom | Self::NotYours => ErrorKind::Forbidden,
            Self::Unknown => ErrorKind::NotFound,
            Self::TooMany(_) => ErrorKind::State,
        }
    }
}

#[derive(Deserialize)]
struct Subscribe {
    channel: String,
    #[serde(default)]
    epoch: Option<String>,
    #[serde(default)]
    offset: Option<u64>,
}

#[derive(Deserialize)]
struct Unsubscribe {
    channel: String,
}

/// Reads a position that a client was told earlier; without one of its parts there is none. What is no
/// epoch of ours is an old one: the client is told that it missed something.
pub(super) fn position(epoch: Option<&str>, offset: Option<u64>) -> Option<Position> {
    let epoch = epoch?.parse().unwrap_or(Epoch(0));
    Some(Position { epoch, offset: offset? })
}

/// What one who was away is told.
struct Recovered {
    is_complete: bool,
    publications: Vec<Publication>,
    /// Where they are.
    position: Position,
}

impl Session {
    pub(super) async fn subscribe(&mut self, request: &Request<'_>) -> Result<(), ApiError> {
        let params: Subscribe = request.params()?;
        let channel = self.open_channel(&params.channel)?;
        self.may_follow(&channel).await?;
        let name = channel.name();
        if self.connection.follows(name) {
            let position = self.local.subscribe(&self.connection, &channel).await?;
            self.answer(request.id, &place(name, position, None));
            return Ok(());
        }
        let limit = self.local.hub().config().max_channels;
        if self.connection.channel_count() >= limit {
            return Err(Refused::TooMany(limit).into());
        }
        let since = position_of(&params);
        if since.is_some() {
            // One who comes back is not refused what was missed: they get it later.
            sleep(self.history.wait(self.local.now())).await;
        }
        let position = self.local.subscribe(&self.connection, &channel).await?;
        let recovered = match since {
            Some(since) => self.recover(&channel, since, position).await.map(Some),
            None => Ok(None),
        };
        let recovered = match recovered {
            Ok(recovered) => recovered,
            Err(error) => {
                self.local.unsubscribe(&self.connection, name);
                return Err(error.into());
            }
        };
        let position = recovered.as_ref().map_or(position, |recovered| recovered.position);
        let answer = place(name, position, recovered.as_ref());
        self.history.pay(self.local.now(), answer.len());
        self.answer(request.id, &answer);
        self.local.release(&self.connection, name, position.offset);
        Ok(())
    }

    /// What was published after `since`, up to `now`, where the subscription begins.
    async fn recover(
        &self,
        channel: &Channel,
        since: Position,
        now: Position,
    ) -> Result<Recovered, HubError> {
        let nothing = |is_complete, position| Recovered { is_complete, publications: Vec::new(), position };
        if since == now {
            return Ok(nothing(true, now));
        }
        if since.epoch != now.epoch {
            return Ok(nothing(false, now));
        }
        let limit = usize::try_from(self.local.hub().config().history_messages).unwrap_or(usize::MAX);
        let history = self.local.hub().history(channel, Some(since), limit).await?;
        if !history.is_complete || history.position.epoch != now.epoch {
            return Ok(nothing(false, now));
        }
        // A client that was at a node which is ahead of this one has seen what is still to come here.
        let position = Position { offset: now.offset.max(since.offset), ..now };
        let mut publications = history.publications;
        publications.retain(|publication| publication.offset <= position.offset);
        Ok(Recovered { is_complete: true, publications, position })
    }

    pub(super) fn unsubscribe(&mut self, request: &Request<'_>) -> Result<(), ApiError> {
        let params: Unsubscribe = request.params()?;
        self.local.unsubscribe(&self.connection, &params.channel);
        self.answer(request.id, "{}");
        Ok(())
    }

    /// A channel that this protocol has.
    pub(super) fn open_channel(&self, name: &str) -> Result<Channel, ApiError> {
        match Channel::parse(name) {
            Some(channel) if matches!(channel.kind(), Kind::Room | Kind::User) => Ok(channel),
            Some(_) => Err(Refused::Unknown.into()),
            None => {
                Err(Invalid("params.channel: must be room:<live_id> or user:<user_id>".to_owned()).into())
            }
        }
    }

    /// Whether the user is in a room; counts as a heartbeat, which brings back those who were silent for
    /// too long. While heartbeats cannot be stored the table is asked.
    async fn is_there(&self, live_id: &str, user_id: &str) -> Result<bool, live::Error> {
        let lives = &self.parts.lives;
        match lives.heartbeat(live_id, user_id).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotInRoom => Ok(false),
            Err(error) if error.kind() == ErrorKind::Unavailable => lives.is_in_room(live_id, user_id).await,
            Err(error) => Err(error),
        }
    }

    /// Whether the user may follow a channel, and read what was said there.
    pub(super) async fn may_follow(&self, channel: &Channel) -> Result<(), ApiError> {
        let Some(user_id) = self.connection.user_id() else { return Err(Refused::NotYours.into()) };
        match channel.kind() {
            Kind::User if channel.id() == &*user_id => Ok(()),
            Kind::User => Err(Refused::NotYours.into()),
            Kind::Room if self.connection.follows(channel.name()) => Ok(()),
            Kind::Room => {
                self.parts.moderation.may_enter(channel.id(), &user_id).await?;
                if self.is_there(channel.id(), &user_id).await? {
                    Ok(())
                } else {
                    Err(Refused::NotInRoom.into())
                }
            }
            Kind::Video | Kind::Other | Kind::Node => Err(Refused::Unknown.into()),
        }
    }
}

fn position_of(params: &Subscribe) -> Option<Position> {
    position(params.epoch.as_deref(), params.offset)
}

fn place(name: &str, position: Position, recovered: Option<&Recovered>) -> String {
    let mut json = String::from(r#"{"channel":"#);
    push_text(&mut json, name);
    json.push_str(&format!(r#","epoch":"{}","offset":{}"#, position.epoch, position.offset));
    if let Some(recovered) = recovered {
        json.push_str(&format!(r#","recovered":{}"#, recovered.is_complete));
        if recovered.is_complete {
            json.push_str(r#","publications":"#);
            push_publications(&mut json, recovered.publications.iter());
        }
    }
    json.push('}');
    json
}
