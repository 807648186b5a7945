//! Messages: what is stored of them, and what is sent.
//!
//! The broker keeps a message of a room or a user as the inside of `pub` without its time, so that a
//! push is put together without a look at the JSON in it. A message of a video is kept as one byte for
//! its kind and the bytes that are sent, which nothing is added to.

use std::borrow::Cow;
use std::fmt::Write;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::channel::{Channel, Kind};
use super::frame;
use store::broker::{Position, Publication};

/// The actions that this server sends itself: nobody else may.
pub const OF_SERVER: [&str; 19] = [
    "like_notify",
    "gift_notify",
    "pk_extends_notify",
    "censor_stop",
    "censor_notify",
    "live_started",
    "live_stopped",
    "online_count",
    "muted",
    "unmuted",
    "banned",
    "unbanned",
    "kicked",
    "deleted",
    "slow_mode",
    "room_muted",
    "moderators",
    "item_demonstrated",
    "connected",
];

/// What stays of a message that was deleted.
pub const TOMBSTONE: &str = r#""deleted":true"#;

const TEXT: u8 = b't';
const BINARY: u8 = b'b';

/// A message that has no place in its channel yet.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// The user who it comes from, or nothing for the system.
    pub from: &'a str,
    /// What it is about.
    pub action: &'a str,
    /// The rest, as the app wants it.
    pub data: &'a RawValue,
}

#[derive(Serialize)]
struct Inside<'a> {
    from: &'a str,
    action: &'a str,
    data: &'a RawValue,
}

impl Draft<'_> {
    /// The text that the broker keeps.
    pub(super) fn body(&self) -> String {
        let inside = Inside { from: self.from, action: self.action, data: self.data };
        // Text and JSON that was read already: that cannot fail.
        let mut json = serde_json::to_string(&inside).unwrap_or_default();
        json.pop();
        if !json.is_empty() {
            json.remove(0);
        }
        json
    }
}

/// The body of a barrage message: `payload` as text, or as bytes.
#[must_use]
pub fn raw(payload: &[u8], is_binary: bool) -> Vec<u8> {
    let mut body = Vec::with_capacity(payload.len() + 1);
    body.push(if is_binary { BINARY } else { TEXT });
    body.extend_from_slice(payload);
    body
}

/// The frame of a body that [`raw`] made.
#[must_use]
pub fn raw_frame(body: &[u8]) -> Bytes {
    match body.split_first() {
        Some((&BINARY, payload)) => frame::binary(payload),
        Some((_, payload)) => frame::text(&String::from_utf8_lossy(payload)),
        None => frame::text(""),
    }
}

/// The frame that brings a publication to the subscribers of `channel`.
pub(super) fn frame_of(channel: &Channel, publication: &Publication) -> Bytes {
    match channel.kind() {
        Kind::Video | Kind::Other | Kind::Node => raw_frame(&publication.body),
        Kind::Room | Kind::User => {
            let mut json = String::with_capacity(96 + channel.name().len() + publication.body.len());
            json.push_str(r#"{"push":{"channel":"#);
            push_text(&mut json, channel.name());
            let _ = write!(json, r#","offset":{},"pub":"#, publication.offset);
            push_inside(&mut json, publication);
            json.push_str("}}");
            frame::text(&json)
        }
    }
}

/// The frame that tells subscribers of `channel` that they may have missed something before
/// `position`; nothing for those of a video, who would not understand.
pub(super) fn lost_frame(channel: &Channel, position: Position) -> Option<Bytes> {
    if !matches!(channel.kind(), Kind::Room | Kind::User) {
        return None;
    }
    let mut json = String::from(r#"{"push":{"channel":"#);
    push_text(&mut json, channel.name());
    let _ = write!(json, r#","epoch":"{}","offset":{},"lost":true}}}}"#, position.epoch, position.offset);
    Some(frame::text(&json))
}

/// Writes `[{offset, pub}, …]`.
pub fn push_publications<'a>(json: &mut String, publications: impl Iterator<Item = &'a Publication>) {
    json.push('[');
    for (index, publication) in publications.enumerate() {
        if index > 0 {
            json.push(',');
        }
        let _ = write!(json, r#"{{"offset":{},"pub":"#, publication.offset);
        push_inside(json, publication);
        json.push('}');
    }
    json.push(']');
}

/// Writes a JSON string.
pub fn push_text(json: &mut String, text: &str) {
    json.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// What subscribers of a room or a user get of a publication: a JSON object.
pub(super) fn json_of(publication: &Publication) -> String {
    let mut json = String::with_capacity(publication.body.len() + 32);
    push_inside(&mut json, publication);
    json
}

fn push_inside(json: &mut String, publication: &Publication) {
    let body: Cow<'_, str> = String::from_utf8_lossy(&publication.body);
    let _ = write!(json, r#"{{{body},"ts":{}}}"#, publication.at_ms);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use store::broker::Epoch;

    fn publication(body: &str) -> Publication {
        Publication { offset: 7, at_ms: 1_700_000_000_123, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn payload(frame: &Bytes) -> serde_json::Value {
        let start = frame.iter().position(|byte| *byte == b'{').unwrap();
        serde_json::from_slice(frame.get(start..).unwrap()).unwrap()
    }

    #[test]
    fn a_push_holds_the_message_and_its_place() {
        let data = RawValue::from_string(r#"{"text":"hi \"you\""}"#.to_owned()).unwrap();
        let body = Draft { from: "a\"b", action: "liveroom-pubchat", data: &data }.body();
        let frame = frame_of(&Channel::new(Kind::User, "x\"y"), &publication(&body));
        assert_eq!(
            payload(&frame),
            json!({"push": {"channel": "user:x\"y", "offset": 7, "pub": {
                "from": "a\"b", "action": "liveroom-pubchat", "data": {"text": "hi \"you\""},
                "ts": 1_700_000_000_123_i64,
            }}})
        );
    }

    #[test]
    fn a_deleted_message_keeps_its_place() {
        let mut json = String::new();
        let deleted = publication(TOMBSTONE);
        push_publications(&mut json, [&deleted, &deleted].into_iter());
        let entry = json!({"offset": 7, "pub": {"deleted": true, "ts": 1_700_000_000_123_i64}});
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), json!([entry, entry]));
    }

    #[test]
    fn barrage_is_sent_as_it_came() {
        let video = Channel::new(Kind::Video, "1");
        let text = Publication { body: raw(b"{\"a\":1}", false).into(), ..publication("") };
        assert_eq!(frame_of(&video, &text), frame::text("{\"a\":1}"));
        let binary = Publication { body: raw(&[0, 255], true).into(), ..publication("") };
        assert_eq!(frame_of(&video, &binary), frame::binary(&[0, 255]));
        let position = Position { epoch: Epoch(1), offset: 1 };
        assert_eq!(lost_frame(&video, position), None);
    }

    #[test]
    fn a_loss_names_where_to_go_on() {
        let position = Position { epoch: Epoch(0xab), offset: 9 };
        let frame = lost_frame(&Channel::new(Kind::Room, "1"), position).unwrap();
        let told =
            json!({"push": {"channel": "room:1", "epoch": "00000000000000ab", "offset": 9, "lost": true}});
        assert_eq!(payload(&frame), told);
    }
}
