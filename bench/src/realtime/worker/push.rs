//! What the generator writes into messages, and how it finds it again without reading JSON: hundreds of thousands a
//! second are looked at on the processors of the server.

use std::io::Write as _;

use memchr::memmem::Finder;
use serde::Deserialize;

/// Begins a stamp: `lg@<node>@<nanoseconds>@`.
const STAMP: &[u8] = b"lg@";
const OFFSET: &[u8] = b"\"offset\":";
const PUSH: &[u8] = b"{\"push\":";
/// Chat of an ordinary length, stamp included.
const CONTENT: usize = 80;

/// When and where a message was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The number of the node that it was sent to.
    pub node: u8,
    /// When, on [`crate::realtime::clock`].
    pub at: u64,
}

/// What a text frame of the server is.
#[derive(Debug, PartialEq, Eq)]
pub enum Text {
    /// A message of a channel; one of the server itself has no stamp.
    Message { offset: u64, stamp: Option<Stamp> },
    /// The subscription was accepted, or a publication was: the channel's offset.
    Accepted { offset: u64 },
    /// A request was refused.
    Refused { code: i64, message: String },
    /// The server says that messages may be missing before this offset.
    Lost,
    /// The server has ended the subscription.
    Unsubscribed(String),
    /// The greeting.
    Hello,
    /// None of these.
    Unknown,
}

/// Reads text frames.
#[derive(Debug)]
pub struct Reader {
    stamp: Finder<'static>,
    offset: Finder<'static>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { stamp: Finder::new(STAMP), offset: Finder::new(OFFSET) }
    }
}

impl Reader {
    /// Reads a frame: by two searches when it is a message of the generator, else as JSON.
    pub fn read(&self, payload: &[u8]) -> Text {
        self.find(payload).unwrap_or_else(|| parse(payload))
    }

    fn find(&self, payload: &[u8]) -> Option<Text> {
        if !payload.starts_with(PUSH) {
            return None;
        }
        let at = self.stamp.find(payload)?;
        let offset = self.offset.find(payload.get(..at)?)?;
        let (offset, _) = number(payload.get(offset + OFFSET.len()..)?)?;
        let (node, rest) = number(payload.get(at + STAMP.len()..)?)?;
        let (at, _) = number(rest.strip_prefix(b"@")?)?;
        Some(Text::Message { offset, stamp: Some(Stamp { node: u8::try_from(node).ok()?, at }) })
    }
}

/// The decimal number that `bytes` begin with, and what follows.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at_checked(length)?;
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    Some((digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')), rest))
}

#[derive(Deserialize)]
struct Document {
    push: Option<Push>,
    result: Option<Outcome>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Push {
    offset: Option<u64>,
    #[serde(default)]
    lost: bool,
    unsubscribed: Option<Refusal>,
    connected: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Outcome {
    offset: Option<u64>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

fn parse(payload: &[u8]) -> Text {
    let Ok(document) = serde_json::from_slice::<Document>(payload) else { return Text::Unknown };
    match document {
        Document { error: Some(Refusal { code, message }), .. } => Text::Refused { code, message },
        Document { result: Some(Outcome { offset: Some(offset) }), .. } => Text::Accepted { offset },
        Document { push: Some(push), .. } => match push {
            Push { connected: Some(_), .. } => Text::Hello,
            Push { unsubscribed: Some(why), .. } => Text::Unsubscribed(why.message),
            Push { lost: true, .. } => Text::Lost,
            Push { offset: Some(offset), .. } => Text::Message { offset, stamp: None },
            Push { .. } => Text::Unknown,
        },
        Document { .. } => Text::Unknown,
    }
}

/// The request to subscribe.
pub fn subscribe(channel: &str) -> String {
    format!(r#"{{"id":1,"method":"subscribe","params":{{"channel":"{channel}"}}}}"#)
}

/// Renders the request to publish a chat message with a stamp; `id` is above that of the subscription.
pub fn publish(into: &mut Vec<u8>, id: u64, channel: &str, stamp: Stamp) {
    into.clear();
    // Writing into memory does not fail.
    _ = write!(
        into,
        r#"{{"id":{id},"method":"publish","params":{{"channel":"{channel}","action":"liveroom-pubchat","data":{{"content":""#
    );
    content(into, stamp, CONTENT);
    into.extend_from_slice(b"\"}}}");
}

/// Renders the push of such a message, as a server does, in `length` bytes or as few as it takes.
pub fn push(into: &mut Vec<u8>, channel: &str, offset: u64, stamp: Stamp, length: usize) {
    into.clear();
    _ = write!(
        into,
        r#"{{"push":{{"channel":"{channel}","offset":{offset},"pub":{{"from":"viewer","action":"liveroom-pubchat","data":{{"content":""#
    );
    let end = br#""},"ts":1700000000000}}}"#;
    content(into, stamp, length.saturating_sub(into.len() + end.len()));
    into.extend_from_slice(end);
}

fn content(into: &mut Vec<u8>, stamp: Stamp, length: usize) {
    let end = into.len() + length;
    _ = write!(into, "lg@{}@{}@", stamp.node, stamp.at);
    into.resize(end.max(into.len()), b'x');
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMPED: Stamp = Stamp { node: 1, at: 1_234_567_890_123 };

    fn read(text: &str) -> Text {
        Reader::default().read(text.as_bytes())
    }

    #[test]
    fn a_stamp_is_found_again() {
        let mut request = Vec::new();
        publish(&mut request, 2, "room:1", STAMPED);
        let request: serde_json::Value = serde_json::from_slice(&request).unwrap();
        let data = &request["params"]["data"];
        assert_eq!(data["content"].as_str().unwrap().len(), CONTENT);
        let text = format!(
            r#"{{"push":{{"channel":"room:1","offset":42,"pub":{{"from":"u","action":"a","data":{data},"ts":1}}}}}}"#
        );
        assert_eq!(read(&text), Text::Message { offset: 42, stamp: Some(STAMPED) });
    }

    #[test]
    fn a_push_of_the_wanted_length_reads_like_one_of_a_server() {
        let mut text = Vec::new();
        push(&mut text, "room:1", 42, STAMPED, 250);
        assert_eq!(text.len(), 250);
        assert!(serde_json::from_slice::<serde_json::Value>(&text).is_ok());
        let found = Reader::default().read(&text);
        assert_eq!(found, Text::Message { offset: 42, stamp: Some(STAMPED) });
    }

    #[test]
    fn everything_else_is_told_apart() {
        assert_eq!(
            read(r#"{"id":1,"result":{"channel":"c","epoch":"e","offset":3}}"#),
            Text::Accepted { offset: 3 }
        );
        assert_eq!(
            read(r#"{"id":2,"error":{"code":429,"message":"slow","retry_after_ms":5}}"#),
            Text::Refused { code: 429, message: "slow".into() }
        );
        let system = r#"{"push":{"channel":"c","offset":8,"pub":{"from":"","action":"online_count","data":1,"ts":1}}}"#;
        assert_eq!(read(system), Text::Message { offset: 8, stamp: None });
        assert_eq!(read(r#"{"push":{"channel":"c","epoch":"e","offset":9,"lost":true}}"#), Text::Lost);
        let ended = r#"{"push":{"channel":"c","unsubscribed":{"code":403,"message":"banned"}}}"#;
        assert_eq!(read(ended), Text::Unsubscribed("banned".into()));
        assert_eq!(read(r#"{"push":{"connected":{"client":"x"}}}"#), Text::Hello);
        assert_eq!(read("no JSON"), Text::Unknown);
    }

    #[test]
    fn a_number_that_is_too_long_is_none() {
        assert_eq!(number(b"12345678901234567890"), None);
        assert_eq!(number(b"x"), None);
        assert_eq!(number(b"17,"), Some((17, &b","[..])));
    }
}
