//! What decoder configurations say: codec, picture size, sample rate. Nothing is decoded.
//!
//! A configuration comes from a stranger: each number is read within the bytes that came, every sum is
//! checked, and what makes no sense is `None`.

mod aac;
mod av1;
mod avc;
mod hevc;
mod opus;

use serde::Serialize;

pub use aac::AudioSpecificConfig;
pub use opus::{OPUS_RATE, OpusHead, packet_samples as opus_packet_samples};

/// A picture may have at most this many pixels on a side.
const MAX_SIDE: u32 = 16_384;

/// How pictures are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoCodec {
    /// H.264.
    #[serde(rename = "h264")]
    Avc,
    /// H.265.
    Hevc,
    /// AV1.
    Av1,
    /// VP9.
    Vp9,
}

/// How sound is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioCodec {
    /// AAC, raw frames.
    Aac,
    /// Opus.
    Opus,
    /// MP3.
    Mp3,
}

/// What is known of a stream's picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VideoInfo {
    /// The codec.
    pub codec: VideoCodec,
    /// The codec as RFC 6381 writes it, such as `avc1.64001f`; `None` without a configuration that can be read.
    pub codec_string: Option<String>,
    /// Pixels after cropping; 0 when unknown.
    pub width: u32,
    /// Pixels after cropping; 0 when unknown.
    pub height: u32,
    /// Frames per second as the configuration promises them.
    pub fps: Option<f64>,
}

/// What is known of a stream's sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AudioInfo {
    /// The codec.
    pub codec: AudioCodec,
    /// The codec as RFC 6381 writes it, such as `mp4a.40.2`.
    pub codec_string: String,
    /// Samples per second; 0 when unknown.
    pub rate: u32,
    /// Channels; 0 when unknown.
    pub channels: u32,
}

impl VideoInfo {
    /// Reads a decoder configuration (the body of `avcC`, `hvcC` or `av1C`). What cannot be read stays unknown.
    #[must_use]
    pub fn read(codec: VideoCodec, config: &[u8]) -> Self {
        let read = match codec {
            VideoCodec::Avc => avc::read(config),
            VideoCodec::Hevc => hevc::read(config),
            VideoCodec::Av1 => av1::read(config),
            VideoCodec::Vp9 => None,
        };
        read.unwrap_or(Self { codec, codec_string: None, width: 0, height: 0, fps: None })
    }
}

impl AudioInfo {
    /// Reads a decoder configuration (an AudioSpecificConfig or an OpusHead).
    #[must_use]
    pub fn read(codec: AudioCodec, config: &[u8]) -> Self {
        match codec {
            AudioCodec::Aac => AudioSpecificConfig::read(config).map_or_else(
                || Self { codec, codec_string: "mp4a.40.2".to_owned(), rate: 0, channels: 0 },
                |config| Self {
                    codec,
                    codec_string: format!("mp4a.40.{}", config.object_type),
                    rate: config.rate,
                    channels: config.channels,
                },
            ),
            AudioCodec::Opus => Self {
                codec,
                codec_string: "opus".to_owned(),
                rate: OPUS_RATE,
                channels: OpusHead::read(config).map_or(2, |head| u32::from(head.channels)),
            },
            AudioCodec::Mp3 => Self { codec, codec_string: "mp3".to_owned(), rate: 0, channels: 0 },
        }
    }
}

/// The payload of a NAL unit without its emulation prevention bytes (H.264 §7.3.1), as far as `limit` bytes.
fn unescape(nal: &[u8], limit: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(nal.len().min(limit));
    let mut zeros = 0;
    for byte in nal.iter().take(limit) {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    out
}

/// A side of the picture, from its coded size and what is cropped at its two ends.
fn cropped(coded: u32, unit: u32, before: u32, after: u32) -> Option<u32> {
    let cut = before.checked_add(after)?.checked_mul(unit)?;
    coded.checked_sub(cut).filter(|side| (1..=MAX_SIDE).contains(side))
}
