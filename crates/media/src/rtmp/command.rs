//! Commands and what answers them, as AMF0 messages.

use bytes::BytesMut;

use super::chunk::{ChunkWriter, OUT_CHUNK_SIZE, kind};
use crate::amf::{self, Value};

/// How much a peer may send or be sent between acknowledgements.
pub(super) const WINDOW: u32 = 2_500_000;
const CONTROL_STREAM: u8 = 2;
const COMMAND_STREAM: u8 = 3;

/// User control events.
const STREAM_BEGIN: u16 = 0;
const STREAM_EOF: u16 = 1;
pub(super) const PING_REQUEST: u16 = 6;
const PING_RESPONSE: u16 = 7;

/// A command that came in.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) name: String,
    pub(super) transaction: f64,
    pub(super) arguments: Vec<Value>,
}

impl Command {
    /// Name, transaction and arguments, if the first is a string.
    pub(super) fn read(body: &[u8]) -> Result<Option<Self>, amf::AmfError> {
        let mut values = amf::decode(body)?.into_iter();
        let Some(Value::String(name)) = values.next() else { return Ok(None) };
        let transaction = values.next().and_then(|value| value.as_number()).unwrap_or(0.0);
        Ok(Some(Self { name, transaction, arguments: values.collect() }))
    }

    /// A property of the object after the transaction.
    pub(super) fn property(&self, name: &str) -> Option<&Value> {
        self.arguments.first()?.get(name)
    }

    /// The string after the object.
    pub(super) fn name_argument(&self) -> Option<&str> {
        self.arguments.get(1)?.as_str()
    }
}

/// The severity in an `onStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Status,
    Error,
}

/// What is to be sent, collected.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) bytes: BytesMut,
    writer: ChunkWriter,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self { bytes: BytesMut::new(), writer: ChunkWriter::new() }
    }

    fn control(&mut self, kind: u8, body: &[u8]) {
        self.writer.write(&mut self.bytes, CONTROL_STREAM, kind, 0, 0, body);
    }

    fn command(&mut self, stream_id: u32, values: &[Value]) {
        let body = amf::encode_all(values);
        self.writer.write(&mut self.bytes, COMMAND_STREAM, kind::COMMAND, 0, stream_id, &body);
    }

    pub(super) fn acknowledge(&mut self, received: u32) {
        self.control(kind::ACKNOWLEDGEMENT, &received.to_be_bytes());
    }

    pub(super) fn pong(&mut self, timestamp: [u8; 4]) {
        self.user_control(PING_RESPONSE, timestamp);
    }

    fn user_control(&mut self, event: u16, data: [u8; 4]) {
        let [a, b] = event.to_be_bytes();
        let [c, d, e, f] = data;
        self.control(kind::USER_CONTROL, &[a, b, c, d, e, f]);
    }

    /// Window, bandwidth and chunk size, then the success of `connect`.
    pub(super) fn connected(&mut self, transaction: f64, enhanced: bool) {
        self.control(kind::WINDOW_SIZE, &WINDOW.to_be_bytes());
        let [a, b, c, d] = WINDOW.to_be_bytes();
        const DYNAMIC: u8 = 2;
        self.control(kind::PEER_BANDWIDTH, &[a, b, c, d, DYNAMIC]);
        let chunk_size = u32::try_from(OUT_CHUNK_SIZE).unwrap_or(128);
        self.control(kind::SET_CHUNK_SIZE, &chunk_size.to_be_bytes());
        self.writer.set_chunk_size(OUT_CHUNK_SIZE);
        let mut properties = entries(&[("fmsVer", "FMS/3,0,1,123".into()), ("capabilities", 31.0.into())]);
        if enhanced {
            // All codecs by FourCC; no reconnect requests, tracks or modifiers.
            properties.extend(entries(&[("fourCcList", "*".into()), ("capsEx", 0.0.into())]));
        }
        let information = status(Level::Status, "NetConnection.Connect.Success", "Connection succeeded.");
        let mut information = information;
        information.push(("objectEncoding".to_owned(), 0.0.into()));
        let result =
            ["_result".into(), transaction.into(), Value::Object(properties), Value::Object(information)];
        self.command(0, &result);
    }

    pub(super) fn connect_rejected(&mut self, transaction: f64, reason: &str) {
        let information = Value::Object(status(Level::Error, "NetConnection.Connect.Rejected", reason));
        self.command(0, &["_error".into(), transaction.into(), Value::Null, information]);
    }

    pub(super) fn result(&mut self, transaction: f64, value: Value) {
        self.command(0, &["_result".into(), transaction.into(), Value::Null, value]);
    }

    pub(super) fn on_status(&mut self, stream_id: u32, level: Level, code: &str, description: &str) {
        let information = Value::Object(status(level, code, description));
        self.command(stream_id, &["onStatus".into(), 0.0.into(), Value::Null, information]);
    }

    pub(super) fn stream_begin(&mut self, stream_id: u32) {
        self.user_control(STREAM_BEGIN, stream_id.to_be_bytes());
    }

    pub(super) fn stream_eof(&mut self, stream_id: u32) {
        self.user_control(STREAM_EOF, stream_id.to_be_bytes());
    }

    /// Without it, old players refuse to show samples.
    pub(super) fn sample_access(&mut self, stream_id: u32) {
        let body = amf::encode_all(&["|RtmpSampleAccess".into(), true.into(), true.into()]);
        self.writer.write(&mut self.bytes, COMMAND_STREAM, kind::DATA, 0, stream_id, &body);
    }
}

fn status(level: Level, code: &str, description: &str) -> Vec<(String, Value)> {
    let level = match level {
        Level::Status => "status",
        Level::Error => "error",
    };
    entries(&[("level", level.into()), ("code", code.into()), ("description", description.into())])
}

fn entries(pairs: &[(&str, Value)]) -> Vec<(String, Value)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}
