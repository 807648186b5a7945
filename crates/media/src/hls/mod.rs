//! HLS with fMP4 segments and low-latency parts (RFC 8216bis), one packager per stream.
//!
//! A [`Service`] starts a [`Packager`] when somebody first asks for a stream, and stops it when nobody asks any
//! more. A packager follows its stream, cuts it into parts of at most 0.35 s and segments of about 2 s that begin
//! at keyframes, and keeps the last six. Playlists and media are answered from memory.

mod entry;
mod fragment;
mod packager;
mod playlist;
mod segmenter;
mod service;
mod window;

pub use packager::{HlsError, Packager, Position, Resource};
pub use playlist::{Playlist, PlaylistRequest};
pub use service::{Service, ServiceSettings};

/// Parts are cut before they would get longer than this (ms).
const PART_TARGET_MS: i64 = 350;
/// Segments are cut at the first keyframe after about this long (ms).
const SEGMENT_TARGET_MS: i64 = 2_000;
/// A keyframe that comes a little before the target still cuts (ms).
const SEGMENT_SLACK_MS: i64 = 250;
/// Segments are cut without a keyframe rather than be longer than this; `EXT-X-TARGETDURATION` (s).
const TARGET_DURATION_S: i64 = 10;
/// Complete segments that are kept.
const KEPT_SEGMENTS: usize = 6;
/// The same while memory is short.
const KEPT_SEGMENTS_SHORT: usize = 3;
/// The parts of so many complete segments are listed.
const SEGMENTS_WITH_PARTS: usize = 3;
