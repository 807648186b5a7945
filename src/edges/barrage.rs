//! CONNMIX's barrage protocol (docs/realtime.md): viewers follow videos, and get what backends publish
//! there as it was published.

use std::rc::Rc;

use actix_web::dev::RequestHead;
use actix_web::rt::net::TcpStream;
use actix_web::web;
use bytes::BytesMut;
use ipnet::IpNet;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::limits::{AddressCount, Counted, RequestLimit};
use super::socket::{self, Message, command_id};
use crate::auth::Gate;
use crate::rest::peer;
use realtime::message::push_text;
use realtime::{Channel, Closing, Connection, Endpoint, HubError, LocalHub, Registered, frame};
use telemetry::context;

/// Bytes that a message of a peer may have.
const MAX_MESSAGE: usize = 16 * 1024;
/// Ends the names of channels as viewers write them.
const VIDEO_SUFFIX: &str = "@video";

/// What the protocol needs; one for all workers.
#[derive(Clone)]
pub struct Parts {
    /// Sees addresses through proxies.
    pub gate: web::Data<Gate>,
    /// Connections of each address.
    pub addresses: AddressCount,
}

/// A connection that is about to be made.
pub(super) struct Admitted {
    registered: Registered,
    _counted: Counted<IpNet>,
}

impl Admitted {
    /// The id by which backends can send to it.
    pub(super) fn client_id(&self) -> u64 {
        self.registered.connection().client_id()
    }
}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    op: String,
    #[serde(default)]
    channel: String,
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("not a request: {0}")]
    Malformed(serde_json::Error),
    #[error("op: must be subscribe, unsubscribe or id")]
    Op,
    #[error("channel: must be <video id>@video")]
    Channel,
    #[error("a connection may follow {0} channels")]
    TooMany(usize),
    #[error("try again")]
    Failed(#[from] HubError),
}

/// One connection.
struct Session<'a> {
    local: &'a LocalHub,
    connection: &'a Rc<Connection>,
    requests: RequestLimit,
}

/// Lets a viewer in; None when their address has as many connections as it may have.
pub(super) fn admit(parts: &Parts, local: &LocalHub, handshake: &RequestHead) -> Option<Admitted> {
    let counted = parts.addresses.enter(peer::network(parts.gate.peer_ip(handshake)))?;
    Some(Admitted { registered: local.register(Endpoint::Barrage), _counted: counted })
}

/// Serves a connection.
pub(super) async fn serve(local: &LocalHub, admitted: Admitted, io: (TcpStream, BytesMut)) {
    let connection = admitted.registered.connection();
    let mut session = Session { local, connection, requests: RequestLimit::new(local.now()) };
    socket::serve(io, MAX_MESSAGE, local, connection, async |message| {
        // What a request needs is there while it is handled, and no longer.
        Box::pin(session.take(message)).await;
    })
    .await;
}

impl Session<'_> {
    async fn take(&mut self, message: Message) {
        let Message::Text(text) = message else { return self.connection.close(Closing::PROTOCOL) };
        if let Err(error) = self.requests.check(self.local.now()) {
            if error.is_flood {
                self.connection.close(Closing::FLOOD);
            }
            return self.refuse(&error);
        }
        // A byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        match serde_json::from_str(text) {
            Ok(request) => {
                let id = command_id(self.connection, None);
                if let Err(error) = context::within(id, self.handle(&request)).await {
                    self.refuse(&error);
                }
            }
            Err(error) if serde_json::from_str::<IgnoredAny>(text).is_ok() => {
                self.refuse(&Refused::Malformed(error));
            }
            Err(_) => self.connection.close(Closing::PROTOCOL),
        }
    }

    async fn handle(&self, request: &Request) -> Result<(), Refused> {
        match request.op.as_str() {
            "subscribe" => self.subscribe(&video(&request.channel)?).await,
            "unsubscribe" => {
                self.local.unsubscribe(self.connection, video(&request.channel)?.name());
                self.answer(r#"{"result":true}"#);
                Ok(())
            }
            "id" => {
                let id = self.connection.client_id();
                self.answer(&format!(r#"{{"result":true,"client_id":"{id}"}}"#));
                Ok(())
            }
            _ => Err(Refused::Op),
        }
    }

    async fn subscribe(&self, channel: &Channel) -> Result<(), Refused> {
        if self.connection.follows(channel.name()) {
            self.answer(r#"{"result":true}"#);
            return Ok(());
        }
        let limit = self.local.hub().config().max_channels;
        if self.connection.channel_count() >= limit {
            return Err(Refused::TooMany(limit));
        }
        let position = self.local.subscribe(self.connection, channel).await?;
        self.answer(r#"{"result":true}"#);
        self.local.release(self.connection, channel.name(), position.offset);
        Ok(())
    }

    fn answer(&self, json: &str) {
        self.connection.reply(frame::text(json));
    }

    fn refuse(&self, error: &dyn std::error::Error) {
        let mut json = String::from(r#"{"code":1,"msg":"#);
        push_text(&mut json, &error.to_string());
        json.push('}');
        self.answer(&json);
    }
}

/// The channel that `<video id>@video` stands for.
fn video(name: &str) -> Result<Channel, Refused> {
    let id = name.strip_suffix(VIDEO_SUFFIX).filter(|id| !id.contains('@')).ok_or(Refused::Channel)?;
    Channel::barrage(&format!("video:{id}")).ok_or(Refused::Channel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_is_named_by_its_id_and_its_kind() {
        let name = |text: &str| video(text).ok().map(|channel| channel.name().to_string());
        assert_eq!(name("100001@video"), Some("video:100001".to_owned()));
        for wrong in ["", "100001", "@video", "1@video@video", "1@live", "video:1", "1 2@video", "1@video "] {
            assert_eq!(name(wrong), None, "{wrong:?}");
        }
    }
}
