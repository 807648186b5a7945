//! CONNMIX's mesh API: what backends send to barrage connections, on any node.
//!
//! Requests and answers have its one-letter names: `c` a channel or a client id, `d` the data, `t` its
//! type; `E` an error, `r` a result, of which `s` counts what succeeded and `f` what failed.

pub mod http;
pub(super) mod websocket;

use std::borrow::Cow;

use actix_web::dev::RequestHead;
use actix_web::web;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Gate;
use crate::rest::ApiError;
use realtime::{Channel, Hub, HubError, message};
use store::broker::Pace;

/// Bytes that data may have, base64 decoded.
const MAX_DATA: usize = 64 * 1024;
/// Client ids are integers that JavaScript has.
const MAX_CLIENT_ID: u64 = (1 << 53) - 1;

/// The calls; one for all workers.
#[derive(Clone)]
pub struct Mesh {
    hub: Hub,
    gate: web::Data<Gate>,
}

/// What is to be published.
#[derive(Deserialize, ToSchema)]
pub struct PublishCall {
    /// The channel: `video:<id>`, or another of 1 to 256 visible characters; none of rooms or users.
    #[schema(example = "video:100001")]
    c: String,
    /// The data, at most 64 KiB; of type `binary` in base64.
    d: String,
    /// `text` (when absent) or `binary`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "text")]
    t: Option<DataType>,
}

/// What is to be sent to one connection.
#[derive(Deserialize, ToSchema)]
pub struct SendCall {
    /// The id that the connection was given.
    #[schema(value_type = String, example = "4398046511105")]
    c: ClientId,
    /// The data, at most 64 KiB; of type `binary` in base64.
    d: String,
    /// `text` (when absent) or `binary`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "text")]
    t: Option<DataType>,
}

/// As what data reaches connections.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DataType {
    Text,
    Binary,
}

/// Ids are shown as text; a number is understood as well.
#[derive(Deserialize)]
#[serde(untagged)]
enum ClientId {
    Number(u64),
    Text(String),
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sent {
    /// Nodes that took it.
    s: u32,
    /// Nodes that did not.
    f: u32,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum MeshError {
    /// It is not as it should be.
    #[error("{0}")]
    Invalid(Cow<'static, str>),
    /// It may have been sent all the same.
    #[error("try again")]
    Unsent(#[from] HubError),
}

impl MeshError {
    /// CONNMIX's number for it.
    fn code(&self) -> u16 {
        match self {
            Self::Invalid(_) => 101,
            Self::Unsent(_) => 401,
        }
    }

    fn invalid(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(why.into())
    }
}

impl Mesh {
    /// The calls over `hub`; `gate` knows the backends that may make them.
    #[must_use]
    pub fn new(hub: Hub, gate: web::Data<Gate>) -> Self {
        Self { hub, gate }
    }

    /// Whether callers need the server credentials.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.hub.config().mesh_auth
    }

    /// Lets a backend have a WebSocket.
    pub(super) async fn admit(&self, handshake: &RequestHead) -> Result<(), ApiError> {
        if self.is_closed() { self.gate.admit_backend(handshake).await } else { Ok(()) }
    }

    /// Publishes what `json` says in a channel for barrage.
    async fn publish(&self, json: &[u8]) -> Result<Sent, MeshError> {
        let call: PublishCall = read(json)?;
        let channel = Channel::barrage(&call.c).ok_or_else(|| {
            MeshError::invalid("c: must be 1 to 256 visible characters, and no room:, user: or node: channel")
        })?;
        let (_, nodes) = self.hub.publish_body(&channel, &body_of(&call.d, call.t)?, Pace::default()).await?;
        Ok(Sent { s: nodes, f: 0 })
    }

    /// Sends what `json` says to one barrage connection.
    async fn send(&self, json: &[u8]) -> Result<Sent, MeshError> {
        let call: SendCall = read(json)?;
        let is_heard = self.hub.send_to(call.c.number()?, &body_of(&call.d, call.t)?).await?;
        Ok(Sent { s: is_heard.into(), f: (!is_heard).into() })
    }
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, MeshError> {
    serde_json::from_slice(&common::json::readable(json))
        .map_err(|error| MeshError::invalid(format!("invalid argument: {error}")))
}

/// What the hub carries.
fn body_of(data: &str, of: Option<DataType>) -> Result<Vec<u8>, MeshError> {
    let is_binary = matches!(of, Some(DataType::Binary));
    let bytes = if is_binary {
        let bytes = STANDARD.decode(data);
        Cow::Owned(bytes.map_err(|error| MeshError::invalid(format!("d: not base64: {error}")))?)
    } else {
        Cow::Borrowed(data.as_bytes())
    };
    if bytes.len() > MAX_DATA {
        return Err(MeshError::invalid(format!("d: has more than {MAX_DATA} bytes")));
    }
    Ok(message::raw(&bytes, is_binary))
}

impl ClientId {
    fn number(&self) -> Result<u64, MeshError> {
        let number = match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        };
        number
            .filter(|number| *number <= MAX_CLIENT_ID)
            .ok_or_else(|| MeshError::invalid("c: must be the id of a connection"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn publication(json: &str) -> Result<Vec<u8>, String> {
        read::<PublishCall>(json.as_bytes())
            .and_then(|call| body_of(&call.d, call.t))
            .map_err(|error| format!("{} {error}", error.code()))
    }

    #[test]
    fn data_is_text_or_base64() {
        assert_eq!(publication(r#"{"c":"x","d":"hi"}"#).unwrap(), b"thi");
        assert_eq!(publication(r#"{"c":"x","d":"hi","t":"text","more":1}"#).unwrap(), b"thi");
        assert_eq!(publication(r#"{"c":"x","d":"AP8=","t":"binary"}"#).unwrap(), [b'b', 0, 255]);
        let full = format!(r#"{{"c":"x","d":"{}"}}"#, "x".repeat(MAX_DATA));
        assert_eq!(publication(&full).unwrap().len(), MAX_DATA + 1);
        let long = format!(r#"{{"c":"x","d":"{}"}}"#, "x".repeat(MAX_DATA + 1));
        assert_eq!(publication(&long).unwrap_err(), "101 d: has more than 65536 bytes");
        for wrong in [
            "",
            "[]",
            r#"{"d":"hi"}"#,
            r#"{"c":"x"}"#,
            r#"{"c":"x","d":{}}"#,
            r#"{"c":1,"d":"hi"}"#,
            r#"{"c":"x","d":"hi","t":"other"}"#,
            r#"{"c":"x","d":"not base64","t":"binary"}"#,
        ] {
            assert!(publication(wrong).unwrap_err().starts_with("101 "), "{wrong}");
        }
    }

    #[test]
    fn a_client_id_is_text_or_a_number() {
        let number = |json: &str| read::<SendCall>(json.as_bytes()).and_then(|call| call.c.number());
        assert_eq!(number(r#"{"c":"4398046511105","d":""}"#).unwrap(), 4_398_046_511_105);
        assert_eq!(number(r#"{"c":7,"d":""}"#).unwrap(), 7);
        for wrong in ["-1", "1.5", r#""""#, r#""x""#, "true", "9007199254740992", "null"] {
            assert!(number(&format!(r#"{{"c":{wrong},"d":""}}"#)).is_err(), "{wrong}");
        }
    }
}
