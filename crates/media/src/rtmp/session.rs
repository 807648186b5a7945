//! A connection's protocol, without the connection.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::chunk::{ChunkReader, Message, kind};
use super::command::{Command, Level, Outbox, PING_REQUEST, WINDOW};
use super::error::SessionError;
use super::handshake::Handshake;
use super::request::StreamRequest;
use crate::amf::Value;
use crate::flv::{Tag, TagKind};
use crate::read::Reader;

/// The longest message of somebody who was not accepted.
pub const MAX_MESSAGE_STRANGER: usize = 64 << 10;
/// The longest message of a publisher.
pub const MAX_MESSAGE_ACCEPTED: usize = 8 << 20;
/// The one stream of a connection: `createStream` always answers it.
pub(super) const STREAM_ID: u32 = 1;
/// However small a window the peer asks for, acknowledgements are not sent more often.
const MIN_ACK_BYTES: u64 = 4096;

/// Tags that are taken out of one aggregate; encoders send some tens.
const MAX_AGGREGATED: usize = 1024;

/// What a session has for its driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Answer by [`Session::accept`] or [`Session::refuse`] before polling again.
    Publish(StreamRequest),
    /// Answer by [`Session::accept`] or [`Session::refuse`] before polling again.
    Play(StreamRequest),
    /// A publisher's tag.
    Tag(Tag),
    /// The peer ends the stream in good order.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before `connect`.
    New,
    Connected,
    /// The driver has to decide.
    Asked(Purpose),
    Accepted(Purpose),
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Publish,
    Play,
}

/// The server's side of one connection.
///
/// Append received bytes to [`Session::input`], call [`Session::poll`] until it returns `None`, then send
/// [`Session::take_output`].
#[derive(Debug)]
pub struct Session {
    input: BytesMut,
    outbox: Outbox,
    handshake: Handshake,
    chunks: ChunkReader,
    events: VecDeque<Event>,
    state: State,
    connect_transaction: f64,
    app: String,
    tc_url: String,
    /// The stream id that the peer used with `publish` or `play`, which answers go to.
    asked_on: u32,
    received: u64,
    acknowledged: u64,
    ack_every: u64,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// A session before the handshake.
    #[must_use]
    pub fn new() -> Self {
        Self {
            input: BytesMut::new(),
            outbox: Outbox::new(),
            handshake: Handshake::Hello,
            chunks: ChunkReader::new(MAX_MESSAGE_STRANGER),
            events: VecDeque::new(),
            state: State::New,
            connect_transaction: 1.0,
            app: String::new(),
            tc_url: String::new(),
            asked_on: STREAM_ID,
            received: 0,
            acknowledged: 0,
            ack_every: u64::from(WINDOW),
        }
    }

    /// Where received bytes are appended. What is in it was not read yet.
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    /// What is to be sent.
    pub fn take_output(&mut self) -> Bytes {
        self.outbox.bytes.split().freeze()
    }

    /// Bytes that the session holds of messages that are not complete, beside [`Session::input`].
    #[must_use]
    pub fn held(&self) -> usize {
        self.chunks.unfinished()
    }

    /// The next event; `None` when more bytes are needed.
    ///
    /// # Errors
    /// When the peer breaks the protocol or a limit.
    pub fn poll(&mut self) -> Result<Option<Event>, SessionError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if matches!(self.state, State::Asked(_) | State::Ended) {
                return Ok(None);
            }
            let before = self.input.len();
            if !self.handshake.advance(&mut self.input, &mut self.outbox.bytes)? {
                return Ok(None);
            }
            let message = self.chunks.next_message(&mut self.input)?;
            self.count(before - self.input.len());
            let Some(message) = message else { return Ok(None) };
            self.handle(message)?;
        }
    }

    fn count(&mut self, consumed: usize) {
        self.received += u64::try_from(consumed).unwrap_or(0);
        if self.received - self.acknowledged >= self.ack_every {
            self.acknowledged = self.received;
            // The field wraps with the count.
            let [_, _, _, _, low @ ..] = self.received.to_be_bytes();
            self.outbox.acknowledge(u32::from_be_bytes(low));
        }
    }

    fn handle(&mut self, message: Message) -> Result<(), SessionError> {
        let mut reader = Reader::new(&message.body);
        match message.kind {
            kind::WINDOW_SIZE => {
                // Half of what the peer waits for, so that it never has to.
                let window = u64::from(reader.u32().filter(|window| *window > 0).unwrap_or(WINDOW));
                self.ack_every = (window / 2).clamp(MIN_ACK_BYTES, u64::from(WINDOW));
            }
            kind::USER_CONTROL => {
                if reader.u16() == Some(PING_REQUEST)
                    && let Some(timestamp) = reader.array()
                {
                    self.outbox.pong(timestamp);
                }
            }
            kind::COMMAND => self.command(message.stream_id, &message.body)?,
            // AMF3 commands are AMF0 behind a zero.
            kind::COMMAND_AMF3 if reader.u8() == Some(0) => self.command(message.stream_id, reader.rest())?,
            _ if self.state == State::Accepted(Purpose::Publish) => self.media(message),
            _ => {}
        }
        Ok(())
    }

    fn media(&mut self, message: Message) {
        let Message { kind, timestamp, body, .. } = message;
        match kind {
            kind::AGGREGATE => self.aggregate(timestamp, &body),
            kind::DATA_AMF3 if body.first() == Some(&0) => {
                self.events.push_back(Event::Tag(Tag {
                    kind: TagKind::Script,
                    timestamp,
                    body: body.slice(1..),
                }));
            }
            number => {
                if let Some(kind) = TagKind::from_number(number) {
                    self.events.push_back(Event::Tag(Tag { kind, timestamp, body }));
                }
            }
        }
    }

    /// Several FLV tags in one message (RTMP 1.0 §7.1.6), whose times count from the message's.
    fn aggregate(&mut self, timestamp: u32, body: &Bytes) {
        let mut reader = Reader::new(body);
        let mut first = None;
        for tag in std::iter::from_fn(|| read_aggregated(&mut reader, body)).take(MAX_AGGREGATED) {
            let base = *first.get_or_insert(tag.timestamp);
            let timestamp = timestamp.wrapping_add(tag.timestamp.wrapping_sub(base));
            self.events.push_back(Event::Tag(Tag { timestamp, ..tag }));
        }
    }

    fn command(&mut self, stream_id: u32, body: &[u8]) -> Result<(), SessionError> {
        let Some(command) = Command::read(body)? else { return Ok(()) };
        match command.name.as_str() {
            "connect" => self.connect(&command),
            "createStream" => {
                self.outbox.result(command.transaction, f64::from(STREAM_ID).into());
            }
            "releaseStream" | "FCPublish" | "FCSubscribe" | "_checkbw" => {
                self.outbox.result(command.transaction, Value::Null);
            }
            "getStreamLength" => self.outbox.result(command.transaction, 0.0.into()),
            "publish" => self.ask(stream_id, &command, "publish", Purpose::Publish)?,
            "play" => self.ask(stream_id, &command, "play", Purpose::Play)?,
            "deleteStream" | "closeStream" | "FCUnpublish" if matches!(self.state, State::Accepted(_)) => {
                self.state = State::Ended;
                self.events.push_back(Event::Closed);
            }
            _ => {}
        }
        Ok(())
    }

    fn connect(&mut self, command: &Command) {
        if self.state != State::New {
            return;
        }
        let text = |name| command.property(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        (self.app, self.tc_url) = (text("app"), text("tcUrl"));
        self.connect_transaction = command.transaction;
        self.state = State::Connected;
        self.outbox.connected(command.transaction, command.property("fourCcList").is_some());
    }

    fn ask(
        &mut self,
        stream_id: u32,
        command: &Command,
        what: &'static str,
        purpose: Purpose,
    ) -> Result<(), SessionError> {
        if self.state != State::Connected {
            return Err(SessionError::OutOfOrder(what));
        }
        let name = command.name_argument().ok_or(SessionError::NoName(what))?.to_owned();
        let request = StreamRequest { app: self.app.clone(), tc_url: self.tc_url.clone(), name };
        self.asked_on = stream_id;
        self.state = State::Asked(purpose);
        self.events.push_back(match purpose {
            Purpose::Publish => Event::Publish(request),
            Purpose::Play => Event::Play(request),
        });
        Ok(())
    }

    /// Says yes to what was asked.
    pub fn accept(&mut self) {
        let State::Asked(purpose) = self.state else { return };
        self.state = State::Accepted(purpose);
        let on = self.asked_on;
        match purpose {
            Purpose::Publish => {
                self.chunks.set_max_message(MAX_MESSAGE_ACCEPTED);
                self.outbox.on_status(on, Level::Status, "NetStream.Publish.Start", "Publishing.");
            }
            Purpose::Play => {
                self.outbox.stream_begin(STREAM_ID);
                self.outbox.on_status(on, Level::Status, "NetStream.Play.Reset", "Reset.");
                self.outbox.on_status(on, Level::Status, "NetStream.Play.Start", "Playing.");
                self.outbox.sample_access(STREAM_ID);
            }
        }
    }

    /// Says no to what was asked, and why. Nothing more is read.
    pub fn refuse(&mut self, reason: &str) {
        let code = match self.state {
            State::Asked(Purpose::Publish) => "NetStream.Publish.BadName",
            State::Asked(Purpose::Play) => "NetStream.Play.StreamNotFound",
            State::New | State::Connected => {
                self.outbox.connect_rejected(self.connect_transaction, reason);
                self.state = State::Ended;
                return;
            }
            State::Accepted(_) | State::Ended => return,
        };
        self.outbox.on_status(self.asked_on, Level::Error, code, reason);
        // Librtmp shows only why a connection was rejected.
        self.outbox.connect_rejected(self.connect_transaction, reason);
        self.state = State::Ended;
    }

    /// Ends what was accepted, from this side.
    pub fn end(&mut self, reason: &str) {
        let on = self.asked_on;
        match self.state {
            State::Accepted(Purpose::Publish) => {
                self.outbox.on_status(on, Level::Error, "NetStream.Publish.BadName", reason);
            }
            State::Accepted(Purpose::Play) => {
                self.outbox.on_status(on, Level::Status, "NetStream.Play.UnpublishNotify", reason);
                self.outbox.on_status(on, Level::Status, "NetStream.Play.Stop", reason);
                self.outbox.stream_eof(STREAM_ID);
            }
            _ => return,
        }
        self.state = State::Ended;
    }
}

/// One tag of an aggregate; `None` at its end or where it makes no sense.
fn read_aggregated(reader: &mut Reader<'_>, whole: &Bytes) -> Option<Tag> {
    let kind = reader.u8()?;
    let length = usize::try_from(reader.u24()?).ok()?;
    let [high, middle, low, highest] = reader.array()?;
    reader.take(3)?;
    let body = whole.slice_ref(reader.take(length)?);
    reader.take(4)?;
    let kind = TagKind::from_number(kind)?;
    Some(Tag { kind, timestamp: u32::from_be_bytes([highest, high, middle, low]), body })
}

#[cfg(test)]
mod tests {
    use super::super::chunk::{ChunkError, ChunkWriter};
    use super::*;
    use crate::amf;
    use crate::flv::encode_tag;

    struct Peer {
        session: Session,
        reader: ChunkReader,
    }

    impl Peer {
        /// After the handshake.
        fn new() -> Self {
            let mut session = Session::new();
            session.input().extend_from_slice(&[3; 1 + 2 * 1536]);
            assert_eq!(session.poll(), Ok(None));
            assert_eq!(session.take_output().len(), 1 + 2 * 1536);
            Self { session, reader: ChunkReader::new(1 << 20) }
        }

        fn send(&mut self, kind: u8, body: &[u8]) -> Result<Option<Event>, SessionError> {
            ChunkWriter::new().write(self.session.input(), 3, kind, 40, 1, body);
            self.session.poll()
        }

        fn command(&mut self, values: &[Value]) -> Result<Option<Event>, SessionError> {
            self.send(kind::COMMAND, &amf::encode_all(values))
        }

        fn connect(&mut self) {
            let object = vec![
                ("app".into(), "live".into()),
                ("tcUrl".into(), "rtmp://h/live".into()),
                ("fourCcList".into(), Value::StrictArray(vec!["hvc1".into()])),
            ];
            assert_eq!(self.command(&["connect".into(), 1.0.into(), Value::Object(object)]), Ok(None));
        }

        fn publish(&mut self) -> Result<Option<Event>, SessionError> {
            self.command(&["publish".into(), 5.0.into(), Value::Null, "room?e=1".into(), "live".into()])
        }

        /// The commands that were answered: name and, of a status, its code and description.
        fn answers(&mut self) -> Vec<(String, String, String)> {
            let mut input = BytesMut::from(&self.session.take_output()[..]);
            let mut answers = Vec::new();
            while let Some(message) = self.reader.next_message(&mut input).unwrap() {
                if message.kind != kind::COMMAND {
                    continue;
                }
                let values = amf::decode(&message.body).unwrap();
                let text = |name| {
                    let found =
                        values.iter().rev().find_map(|value| value.get(name)?.as_str().map(str::to_owned));
                    found.unwrap_or_default()
                };
                answers.push((values[0].as_str().unwrap().into(), text("code"), text("description")));
            }
            answers
        }
    }

    #[test]
    fn an_encoder_connects_and_publishes() {
        let mut peer = Peer::new();
        peer.connect();
        let answers = peer.answers();
        assert_eq!(
            (answers[0].0.as_str(), answers[0].1.as_str()),
            ("_result", "NetConnection.Connect.Success")
        );
        for (transaction, name) in [(2.0, "releaseStream"), (3.0, "FCPublish"), (4.0, "createStream")] {
            peer.command(&[name.into(), transaction.into(), Value::Null, "room".into()]).unwrap();
        }
        assert_eq!(peer.answers().len(), 3);
        let asked = peer.publish().unwrap();
        let request =
            StreamRequest { app: "live".into(), tc_url: "rtmp://h/live".into(), name: "room?e=1".into() };
        assert_eq!(asked, Some(Event::Publish(request)));
        peer.session.accept();
        assert_eq!(peer.answers()[0].1, "NetStream.Publish.Start");
        let tag = peer.send(8, b"sound").unwrap();
        let body = Bytes::from_static(b"sound");
        assert_eq!(tag, Some(Event::Tag(Tag { kind: TagKind::Audio, timestamp: 40, body })));
        assert_eq!(peer.command(&["deleteStream".into(), 6.0.into()]), Ok(Some(Event::Closed)));
        assert_eq!(peer.send(8, b"late"), Ok(None));
    }

    #[test]
    fn a_refusal_tells_the_reason() {
        let mut peer = Peer::new();
        peer.connect();
        peer.answers();
        peer.publish().unwrap();
        peer.session.refuse("the room is not live");
        let answers = peer.answers();
        let expected = |name: &str, code: &str| (name.into(), code.into(), "the room is not live".into());
        assert_eq!(answers[0], expected("onStatus", "NetStream.Publish.BadName"));
        assert_eq!(answers[1], expected("_error", "NetConnection.Connect.Rejected"));
    }

    #[test]
    fn media_before_the_answer_is_not_lost() {
        let mut peer = Peer::new();
        peer.connect();
        peer.publish().unwrap();
        assert_eq!(peer.send(8, b"early"), Ok(None));
        peer.session.accept();
        assert!(matches!(peer.session.poll(), Ok(Some(Event::Tag(_)))));
    }

    #[test]
    fn the_order_of_commands_is_kept() {
        let mut peer = Peer::new();
        assert_eq!(peer.publish(), Err(SessionError::OutOfOrder("publish")));
        let mut peer = Peer::new();
        peer.connect();
        let nameless = peer.command(&["play".into(), 5.0.into(), Value::Null]);
        assert_eq!(nameless, Err(SessionError::NoName("play")));
        let mut peer = Peer::new();
        peer.connect();
        peer.publish().unwrap();
        peer.session.accept();
        assert_eq!(peer.publish(), Err(SessionError::OutOfOrder("publish")));
    }

    #[test]
    fn before_acceptance_messages_are_short() {
        let mut peer = Peer::new();
        peer.connect();
        let long = vec![0; MAX_MESSAGE_STRANGER + 1];
        assert!(matches!(peer.send(9, &long), Err(SessionError::Chunk(ChunkError::TooLong { .. }))));
        let mut peer = Peer::new();
        peer.connect();
        peer.publish().unwrap();
        peer.session.accept();
        assert!(matches!(peer.send(9, &long), Ok(Some(Event::Tag(_)))));
    }

    #[test]
    fn aggregates_come_apart() {
        let mut peer = Peer::new();
        peer.connect();
        peer.publish().unwrap();
        peer.session.accept();
        let tags = [encode_tag(TagKind::Video, 1000, b"v"), encode_tag(TagKind::Audio, 1020, b"a")];
        let first = peer.send(kind::AGGREGATE, &tags.concat()).unwrap();
        let second = peer.session.poll().unwrap();
        let time = |event| match event {
            Some(Event::Tag(tag)) => tag.timestamp,
            _ => 0,
        };
        assert_eq!((time(first), time(second)), (40, 60));
        // One of many empty tags does not become as many events.
        assert!(peer.send(kind::AGGREGATE, &encode_tag(TagKind::Audio, 0, b"").repeat(100_000)).is_ok());
        let rest = std::iter::from_fn(|| peer.session.poll().unwrap()).count();
        assert_eq!(rest + 1, MAX_AGGREGATED);
    }

    #[test]
    fn what_was_received_is_acknowledged() {
        let mut peer = Peer::new();
        peer.connect();
        peer.publish().unwrap();
        peer.session.accept();
        peer.send(kind::WINDOW_SIZE, &20_000u32.to_be_bytes()).unwrap();
        peer.answers();
        peer.send(9, &[1; 30_000]).unwrap();
        let mut output = BytesMut::from(&peer.session.take_output()[..]);
        let acknowledged = peer.reader.next_message(&mut output).unwrap().unwrap();
        assert_eq!(acknowledged.kind, kind::ACKNOWLEDGEMENT);
        assert!(u32::from_be_bytes(acknowledged.body[..].try_into().unwrap()) >= 30_000);
        // A ping is answered with its own time.
        peer.send(kind::USER_CONTROL, &[0, 6, 1, 2, 3, 4]).unwrap();
        let mut output = BytesMut::from(&peer.session.take_output()[..]);
        let pong = peer.reader.next_message(&mut output).unwrap().unwrap();
        assert_eq!(&pong.body[..], &[0, 7, 1, 2, 3, 4]);
    }
}
