//! FLV (Adobe's specification 10.1, annex E) with Enhanced RTMP v2's bodies: what RTMP messages, HTTP-FLV
//! and publishing browsers have in common.

mod body;
mod clock;
mod demux;
mod script;
mod tag;

pub use body::{AudioBody, AudioPacket, BodyError, VideoBody, VideoPacket};
pub use clock::IngestClock;
pub use demux::{Demuxer, FlvError};
pub use script::{metadata, rewrite_metadata};
pub use tag::{MAX_TAG, Tag, TagKind, encode_tag, file_header};
