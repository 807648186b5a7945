//! Metadata (`onMetaData`): what an encoder says of itself, made fit for viewers.

use bytes::{Bytes, BytesMut};

use crate::amf::{self, Value};

const SET_DATA_FRAME: &str = "@setDataFrame";
const ON_METADATA: &str = "onMetaData";
/// A live stream has no length; an encoder's guess would end a recording early.
const UNTRUE_WHEN_LIVE: [&str; 5] = ["duration", "filesize", "fileSize", "keyframes", "lasttimestamp"];

/// The body of a script tag for viewers: `@setDataFrame` stripped, without what only a file has. `None` when
/// it is no metadata or cannot be read (text and cue points are not passed on).
#[must_use]
pub fn rewrite_metadata(body: &[u8]) -> Option<Bytes> {
    let mut values = amf::decode(body).ok()?;
    if values.first()?.as_str() == Some(SET_DATA_FRAME) {
        values.remove(0);
    }
    let mut values = values.into_iter();
    if values.next()?.as_str() != Some(ON_METADATA) {
        return None;
    }
    let (Value::Object(entries) | Value::EcmaArray(entries)) = values.next()? else { return None };
    let entries = entries.into_iter().filter(|(name, _)| !UNTRUE_WHEN_LIVE.contains(&name.as_str()));
    Some(encode(entries.collect()))
}

/// The body of a script tag that says the given.
#[must_use]
pub fn metadata(entries: &[(&str, Value)]) -> Bytes {
    encode(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn encode(entries: Vec<(String, Value)>) -> Bytes {
    let mut out = BytesMut::new();
    amf::encode(&Value::from(ON_METADATA), &mut out);
    amf::encode(&Value::EcmaArray(entries), &mut out);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapper_and_the_length_are_taken_away() {
        let entries = vec![
            ("duration".to_owned(), Value::from(14.0)),
            ("width".to_owned(), Value::from(1280.0)),
            ("encoder".to_owned(), Value::from("obs")),
        ];
        let wrapped =
            [Value::from(SET_DATA_FRAME), Value::from(ON_METADATA), Value::EcmaArray(entries.clone())];
        let plain = [Value::from(ON_METADATA), Value::Object(entries)];
        for sent in [amf::encode_all(&wrapped), amf::encode_all(&plain)] {
            let values = amf::decode(&rewrite_metadata(&sent).unwrap()).unwrap();
            assert_eq!(values[0].as_str(), Some(ON_METADATA));
            assert_eq!(values[1].get("width"), Some(&Value::from(1280.0)));
            assert_eq!(values[1].get("duration"), None);
        }
    }

    #[test]
    fn other_scripts_are_not_passed_on() {
        assert_eq!(rewrite_metadata(&amf::encode_all(&[Value::from("onTextData"), Value::Null])), None);
        assert_eq!(rewrite_metadata(&amf::encode_all(&[Value::from(SET_DATA_FRAME)])), None);
        assert_eq!(rewrite_metadata(b"\x02\xff"), None);
    }
}
