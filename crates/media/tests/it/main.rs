//! Tests of the media engine against real encoders and players (ffmpeg, ffprobe) and against strangers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::indexing_slicing, clippy::string_slice)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod codecs;
mod encoders;
mod fuzz;
mod hostile;
mod packager;
mod rfc8216;
mod rtmps;
mod support;
