//! Tags and the header of a file.

use bytes::{BufMut, Bytes, BytesMut};

/// A tag's body has at most this many bytes here (the format would take 16 MiB).
pub const MAX_TAG: usize = 8 << 20;
/// Type, size, timestamp and stream id, before the body.
pub(crate) const HEADER: usize = 11;
/// The size of the tag again, after the body.
pub(crate) const TRAILER: usize = 4;

/// What a tag carries. The numbers are RTMP's message types too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// Sound, type 8.
    Audio,
    /// Picture, type 9.
    Video,
    /// Metadata as AMF0, type 18.
    Script,
}

impl TagKind {
    /// The kind by its number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            8 => Some(Self::Audio),
            9 => Some(Self::Video),
            18 => Some(Self::Script),
            _ => None,
        }
    }

    /// The number in tags and messages.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Audio => 8,
            Self::Video => 9,
            Self::Script => 18,
        }
    }
}

/// A tag as an encoder sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// What it carries.
    pub kind: TagKind,
    /// Milliseconds on the encoder's clock, which starts anywhere and wraps at 2^32.
    pub timestamp: u32,
    /// The body, without header and trailer.
    pub body: Bytes,
}

/// The header of a file, with the (empty) tag before the first one.
#[must_use]
pub fn file_header(audio: bool, video: bool) -> [u8; 13] {
    let flags = u8::from(audio) << 2 | u8::from(video);
    [b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]
}

/// A whole tag: header, body, and its size. The body must not be longer than [`MAX_TAG`].
#[must_use]
pub fn encode_tag(kind: TagKind, time_ms: u32, body: &[u8]) -> Bytes {
    let [highest, time @ ..] = time_ms.to_be_bytes();
    let length = u32::try_from(body.len()).unwrap_or(0);
    let [_, size @ ..] = length.to_be_bytes();
    let mut out = BytesMut::with_capacity(HEADER + body.len() + TRAILER);
    out.put_u8(kind.number());
    out.put_slice(&size);
    out.put_slice(&time);
    out.put_u8(highest);
    out.put_slice(&[0, 0, 0]);
    out.put_slice(body);
    out.put_u32(length + 11);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_byte_of_the_time_stands_last() {
        let tag = encode_tag(TagKind::Video, 0x0102_0304, b"ab");
        assert_eq!(&tag[..], &[9, 0, 0, 2, 2, 3, 4, 1, 0, 0, 0, b'a', b'b', 0, 0, 0, 13]);
    }

    #[test]
    fn the_header_tells_what_is_there() {
        assert_eq!(file_header(true, true)[4], 5);
        assert_eq!(file_header(true, false)[4], 4);
        assert_eq!(file_header(false, true)[4], 1);
    }
}
