//! The mesh API over a WebSocket: `{"m":"mesh.publish","p":{…},"i":1}`, for those who publish much.

use std::fmt::Write;
use std::rc::Rc;

use actix_web::rt::net::TcpStream;
use bytes::BytesMut;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Mesh, MeshError, Sent};
use crate::edges::socket::{self, Message, command_id};
use realtime::message::push_text;
use realtime::{Closing, Connection, Endpoint, LocalHub, frame};
use telemetry::context;
use telemetry::sampled;

/// Bytes of a request: the data may stand there escaped, with six for one.
const MAX_MESSAGE: usize = 7 * super::MAX_DATA;

#[derive(Deserialize)]
struct Request<'a> {
    m: String,
    #[serde(borrow, default)]
    p: Option<&'a RawValue>,
    /// CONNMIX's own documents spell it both ways.
    #[serde(default, alias = "id")]
    i: Option<i64>,
}

/// Serves a backend's connection, one request after the other.
pub(in crate::edges) async fn serve(mesh: &Mesh, local: &LocalHub, io: (TcpStream, BytesMut)) {
    let registered = local.register(Endpoint::Mesh);
    let connection = Rc::clone(registered.connection());
    socket::serve(io, MAX_MESSAGE, local, &connection, async |message| {
        Box::pin(take(mesh, &connection, message)).await;
    })
    .await;
}

async fn take(mesh: &Mesh, connection: &Connection, message: Message) {
    let text = match message {
        // CONNMIX's own question whether the server is there.
        Message::Text(text) if text == "ping" => return connection.reply(frame::text("pong")),
        Message::Text(text) => text,
        Message::Binary => return connection.close(Closing::PROTOCOL),
    };
    // A byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (id, result) = match serde_json::from_str::<Request<'_>>(text) {
        Ok(request) => {
            let id = command_id(connection, request.i.and_then(|id| u64::try_from(id).ok()));
            (request.i, context::within(id, call(mesh, &request)).await)
        }
        Err(error) => (None, Err(MeshError::invalid(format!("not a request: {error}")))),
    };
    connection.reply(frame::text(&answer(id, &result)));
}

async fn call(mesh: &Mesh, request: &Request<'_>) -> Result<Sent, MeshError> {
    let params = request.p.map_or("{}", RawValue::get).as_bytes();
    match request.m.as_str() {
        "mesh.publish" => mesh.publish(params).await,
        "mesh.send" => mesh.send(params).await,
        _ => Err(MeshError::invalid("m: must be mesh.publish or mesh.send")),
    }
}

fn answer(id: Option<i64>, result: &Result<Sent, MeshError>) -> String {
    let mut json = match result {
        Ok(sent) => format!(r#"{{"E":null,"r":{{"s":{},"f":{}}}"#, sent.s, sent.f),
        Err(error) => {
            if let MeshError::Unsent(cause) = error {
                sampled!(warn, %cause, "a mesh call failed");
            }
            let mut json = format!(r#"{{"E":{{"c":{},"m":"#, error.code());
            push_text(&mut json, &error.to_string());
            json.push('}');
            json
        }
    };
    match id {
        Some(id) => _ = write!(json, r#","i":{id}}}"#),
        None => json.push_str(r#","i":null}"#),
    }
    json
}
