//! A frame: what was published once and is sent to everybody.

use std::sync::OnceLock;

use bytes::Bytes;
use tokio::time::Instant;

use crate::flv::{TagKind, encode_tag};

/// Header and trailer of the FLV tag around a body.
const TAG_HEADER: usize = 11;
const TAG_TRAILER: usize = 4;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// Sound.
    Audio,
    /// A picture.
    Video {
        /// Decoding may begin here.
        keyframe: bool,
    },
    /// A decoder's configuration of sound, which is valid from here on.
    AudioConfig,
    /// A decoder's configuration of pictures.
    VideoConfig,
    /// Metadata.
    Metadata,
    /// Another publisher, or the same again, goes on from here. Has no tag.
    Discontinuity,
    /// The stream is over. Has no tag.
    End,
}

/// A frame with its FLV tag, made once and shared.
#[derive(Debug)]
pub struct Frame {
    kind: FrameKind,
    time_ms: i64,
    received: Instant,
    tag: Bytes,
    wire: OnceLock<Vec<Bytes>>,
}

impl Frame {
    pub(super) fn new(kind: FrameKind, time_ms: i64, received: Instant, body: &[u8]) -> Self {
        let tag_kind = match kind {
            FrameKind::Audio | FrameKind::AudioConfig => TagKind::Audio,
            FrameKind::Video { .. } | FrameKind::VideoConfig => TagKind::Video,
            FrameKind::Metadata => TagKind::Script,
            FrameKind::Discontinuity | FrameKind::End => return Self::marker(kind, time_ms, received),
        };
        let tag = encode_tag(tag_kind, wrapped(time_ms), body);
        Self { kind, time_ms, received, tag, wire: OnceLock::new() }
    }

    pub(super) fn marker(kind: FrameKind, time_ms: i64, received: Instant) -> Self {
        Self { kind, time_ms, received, tag: Bytes::new(), wire: OnceLock::new() }
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> FrameKind {
        self.kind
    }

    /// Milliseconds since the stream began; when to decode it.
    #[must_use]
    pub fn time_ms(&self) -> i64 {
        self.time_ms
    }

    /// The same as FLV and RTMP have it, which wraps after 49 days.
    #[must_use]
    pub fn timestamp(&self) -> u32 {
        wrapped(self.time_ms)
    }

    /// When it came in.
    #[must_use]
    pub fn received(&self) -> Instant {
        self.received
    }

    /// The whole FLV tag with the size after it; empty for [`FrameKind::Discontinuity`] and [`FrameKind::End`].
    #[must_use]
    pub fn tag(&self) -> &Bytes {
        &self.tag
    }

    /// The body of the tag, which shares its bytes.
    #[must_use]
    pub fn body(&self) -> Bytes {
        let end = self.tag.len().saturating_sub(TAG_TRAILER);
        self.tag.slice(TAG_HEADER.min(end)..end)
    }

    /// A picture at which decoding may begin.
    #[must_use]
    pub fn is_keyframe(&self) -> bool {
        self.kind == FrameKind::Video { keyframe: true }
    }

    /// The frame as another protocol sends it, encoded by the first who asks and kept with the frame.
    pub(crate) fn wire(&self, encode: impl FnOnce(&Self) -> Vec<Bytes>) -> &[Bytes] {
        self.wire.get_or_init(|| encode(self))
    }

    /// What it weighs: its tag, and what stands around it in memory.
    pub(super) fn weight(&self) -> usize {
        self.tag.len() + size_of::<Self>()
    }
}

fn wrapped(time_ms: i64) -> u32 {
    let [_, _, _, _, low @ ..] = time_ms.to_be_bytes();
    u32::from_be_bytes(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_a_part_of_the_tag() {
        let frame = Frame::new(FrameKind::Audio, 0x1_0000_0005, Instant::now(), b"abc");
        assert_eq!(&frame.body()[..], b"abc");
        assert_eq!(frame.timestamp(), 5);
        assert_eq!(frame.tag().len(), 3 + 15);
        let end = Frame::marker(FrameKind::End, 0, Instant::now());
        assert!(end.body().is_empty());
    }
}
