//! The media engine: an encoder publishes a stream, everybody watches it, from this process alone.
//!
//! - [`rtmp`]: RTMP and RTMPS in and out, a session without sockets and a server over them.
//! - [`hub`]: the streams of this node, who publishes them and who watches, each frame held once.
//! - [`flv`]: tags, bodies (Enhanced RTMP included) and the clock that makes encoders' timestamps usable.
//! - [`codec`]: what a decoder configuration says: codec, size, rate.
//! - [`httpflv`]: a stream as FLV bytes for one viewer; [`hls`]: the same as fMP4 segments and parts.
//! - [`ingest`]: a publisher that sends one FLV tag per message, as a browser does.
//!
//! It knows streams by name and nothing of rooms, users, signatures, HTTP frameworks or databases, and
//! never will: who may publish or play is asked of a [`rtmp::Gate`], what happened is told to a
//! [`hub::Observer`]. It decodes no picture and no sound.

pub mod amf;
pub mod codec;
pub mod flv;
pub mod hls;
pub mod httpflv;
pub mod hub;
pub mod ingest;
mod lock;
mod read;
pub mod rtmp;
