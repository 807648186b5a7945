//! HLS with fMP4 segments and low-latency parts (RFC 8216bis), one packager per stream.
//!
//! A [`Service`] starts a [`Packager`] when somebody first asks for a stream, and stops it when nobody asks any
//! more. A packager follows its stream and cuts it: a `segmenter` decides which tracks there are, a `run` of them
//! is cut into parts of at most 0.35 s and segments that begin at keyframes, a `window` keeps the last 12 s and
//! what was in the playlist until lately. Playlists and media are answered from memory.
//!
//! What a playlist promises must not change while it lives (RFC 8216bis §6.2.1), and the future of a live stream
//! is not known. So `targets` are chosen once, to fit the distance of its keyframes: 2 s for groups of up to 2.25 s,
//! up to 10 s for longer ones, and a stream whose groups grow later is cut between keyframes. For the same reason
//! `EXT-X-INDEPENDENT-SEGMENTS` is never said; parts that have a keyframe are marked.

mod entry;
mod fragment;
mod packager;
mod playlist;
mod run;
mod segmenter;
mod service;
mod targets;
mod window;

pub use packager::{HlsError, Packager, Position, Resource};
pub use playlist::{Playlist, PlaylistRequest};
pub use service::{Service, ServiceSettings};

/// Parts are cut before they would get longer than this, where frames are not longer themselves (ms).
const PART_TARGET_MS: i64 = 350;
/// Segments are cut at the first keyframe after about this long (ms).
const SEGMENT_TARGET_MS: i64 = 2_000;
/// A keyframe that comes a little before the target still cuts (ms).
const SEGMENT_SLACK_MS: i64 = 250;
/// What a playlist lasts: this, or three target durations if that is more or memory is short (ms).
const WINDOW_MS: i64 = 12_000;
/// A track that brings nothing for this long is left out, until it is back (ms).
const TRACK_LOST_MS: i64 = 5_000;
