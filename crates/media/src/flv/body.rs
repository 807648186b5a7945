//! The bodies of audio and video tags: the classic form, Enhanced RTMP v2 (FourCC), and codec id 12, by
//! which CDNs sent HEVC before that.

use thiserror::Error;

use crate::codec::{AudioCodec, VideoCodec};
use crate::read::Reader;

/// Why a body is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BodyError {
    /// Shorter than its own header.
    #[error("the body is cut short")]
    Truncated,
    /// A codec that liveloom does not carry.
    #[error("the codec is not supported")]
    Codec,
}

/// What a video tag holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoBody<'a> {
    /// The codec.
    pub codec: VideoCodec,
    /// A picture or something about pictures.
    pub packet: VideoPacket<'a>,
}

/// The part of a video tag after its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoPacket<'a> {
    /// `avcC`, `hvcC`, `av1C` or `vpcC`.
    Config(&'a [u8]),
    /// A coded picture.
    Frame {
        /// Decoding may begin here.
        keyframe: bool,
        /// When to show it, relative to when to decode it, in ms.
        composition_ms: i32,
        /// NAL units with their lengths, or OBUs. Never empty.
        data: &'a [u8],
    },
    /// Nothing that viewers need: end of sequence, an empty picture, a command, HDR metadata, or several
    /// tracks in one tag, which nobody was offered.
    Nothing,
}

/// What an audio tag holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioBody<'a> {
    /// The codec.
    pub codec: AudioCodec,
    /// Sound or something about it.
    pub packet: AudioPacket<'a>,
}

/// The part of an audio tag after its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioPacket<'a> {
    /// An AudioSpecificConfig or an OpusHead.
    Config(&'a [u8]),
    /// A coded frame, never empty.
    Frame(&'a [u8]),
    /// Nothing that viewers need.
    Nothing,
}

/// Set in the first byte of a video body that names its codec by FourCC.
const EX_VIDEO: u8 = 0x80;
const KEYFRAME: u8 = 1;
const COMMAND_FRAME: u8 = 5;
const EX_AUDIO: u8 = 9;

impl<'a> VideoBody<'a> {
    /// Reads the body of a video tag.
    ///
    /// # Errors
    /// When it is cut short or of a codec that is not carried.
    pub fn read(body: &'a [u8]) -> Result<Self, BodyError> {
        let mut reader = Reader::new(body);
        let first = reader.u8().ok_or(BodyError::Truncated)?;
        let frame_type = first >> 4 & 7;
        if first & EX_VIDEO != 0 {
            return Self::read_enhanced(reader, frame_type, first & 0x0f);
        }
        let codec = match first & 0x0f {
            7 => VideoCodec::Avc,
            12 => VideoCodec::Hevc,
            _ => return Err(BodyError::Codec),
        };
        if frame_type == COMMAND_FRAME {
            return Ok(Self { codec, packet: VideoPacket::Nothing });
        }
        let kind = reader.u8().ok_or(BodyError::Truncated)?;
        let composition_ms = reader.i24().ok_or(BodyError::Truncated)?;
        let data = reader.rest();
        let packet = match kind {
            0 => VideoPacket::Config(data),
            1 => frame(frame_type, composition_ms, data),
            _ => VideoPacket::Nothing,
        };
        Ok(Self { codec, packet })
    }

    fn read_enhanced(mut reader: Reader<'a>, frame_type: u8, kind: u8) -> Result<Self, BodyError> {
        const CODED_FRAMES: u8 = 1;
        const CODED_FRAMES_X: u8 = 3;
        // Multitrack and ModEx put something else before the FourCC.
        if kind > 5 {
            return Err(BodyError::Codec);
        }
        let codec = match &reader.array::<4>().ok_or(BodyError::Truncated)? {
            b"avc1" => VideoCodec::Avc,
            b"hvc1" | b"hev1" => VideoCodec::Hevc,
            b"av01" => VideoCodec::Av1,
            b"vp09" => VideoCodec::Vp9,
            _ => return Err(BodyError::Codec),
        };
        let packet = match kind {
            _ if frame_type == COMMAND_FRAME => VideoPacket::Nothing,
            0 => VideoPacket::Config(reader.rest()),
            CODED_FRAMES => {
                // Only codecs that reorder pictures have a composition time here.
                let composition_ms = match codec {
                    VideoCodec::Avc | VideoCodec::Hevc => reader.i24().ok_or(BodyError::Truncated)?,
                    VideoCodec::Av1 | VideoCodec::Vp9 => 0,
                };
                frame(frame_type, composition_ms, reader.rest())
            }
            CODED_FRAMES_X => frame(frame_type, 0, reader.rest()),
            _ => VideoPacket::Nothing,
        };
        Ok(Self { codec, packet })
    }
}

/// A picture without bytes would make a recording unreadable.
fn frame(frame_type: u8, composition_ms: i32, data: &[u8]) -> VideoPacket<'_> {
    if data.is_empty() {
        return VideoPacket::Nothing;
    }
    VideoPacket::Frame { keyframe: frame_type == KEYFRAME, composition_ms, data }
}

impl<'a> AudioBody<'a> {
    /// Reads the body of an audio tag.
    ///
    /// # Errors
    /// When it is cut short or of a codec that is not carried.
    pub fn read(body: &'a [u8]) -> Result<Self, BodyError> {
        let mut reader = Reader::new(body);
        let first = reader.u8().ok_or(BodyError::Truncated)?;
        match first >> 4 {
            EX_AUDIO => Self::read_enhanced(reader, first & 0x0f),
            10 => {
                let kind = reader.u8().ok_or(BodyError::Truncated)?;
                let packet =
                    if kind == 0 { AudioPacket::Config(reader.rest()) } else { sound(reader.rest()) };
                Ok(Self { codec: AudioCodec::Aac, packet })
            }
            2 | 14 => Ok(Self { codec: AudioCodec::Mp3, packet: sound(reader.rest()) }),
            _ => Err(BodyError::Codec),
        }
    }

    fn read_enhanced(mut reader: Reader<'a>, kind: u8) -> Result<Self, BodyError> {
        if kind > 4 {
            return Err(BodyError::Codec);
        }
        let codec = match &reader.array::<4>().ok_or(BodyError::Truncated)? {
            b"mp4a" => AudioCodec::Aac,
            b"Opus" => AudioCodec::Opus,
            b".mp3" => AudioCodec::Mp3,
            _ => return Err(BodyError::Codec),
        };
        let packet = match kind {
            0 => AudioPacket::Config(reader.rest()),
            1 => sound(reader.rest()),
            _ => AudioPacket::Nothing,
        };
        Ok(Self { codec, packet })
    }
}

fn sound(data: &[u8]) -> AudioPacket<'_> {
    if data.is_empty() { AudioPacket::Nothing } else { AudioPacket::Frame(data) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classic_video_is_read() {
        let config = VideoBody::read(&[0x17, 0, 0, 0, 0, 1, 2]).unwrap();
        assert_eq!((config.codec, config.packet), (VideoCodec::Avc, VideoPacket::Config(&[1, 2])));
        let frame = VideoBody::read(&[0x27, 1, 0xff, 0xff, 0xd7, 5]).unwrap();
        assert_eq!(frame.packet, VideoPacket::Frame { keyframe: false, composition_ms: -41, data: &[5] });
        assert_eq!(VideoBody::read(&[0x17, 2, 0, 0, 0]).unwrap().packet, VideoPacket::Nothing);
        assert_eq!(VideoBody::read(&[0x17, 1, 0, 0, 0]).unwrap().packet, VideoPacket::Nothing);
        assert_eq!(VideoBody::read(&[0x1c, 1, 0, 0, 0, 9]).unwrap().codec, VideoCodec::Hevc);
        assert_eq!(VideoBody::read(&[0x12, 0, 0]), Err(BodyError::Codec));
        assert_eq!(VideoBody::read(&[0x17]), Err(BodyError::Truncated));
    }

    #[test]
    fn enhanced_video_is_read() {
        let body = [&[0x91], &b"hvc1"[..], &[0, 0, 40, 7]].concat();
        let packet = VideoPacket::Frame { keyframe: true, composition_ms: 40, data: &[7] };
        assert_eq!(VideoBody::read(&body).unwrap(), VideoBody { codec: VideoCodec::Hevc, packet });
        let body = [&[0xa1], &b"av01"[..], &[7]].concat();
        let packet = VideoPacket::Frame { keyframe: false, composition_ms: 0, data: &[7] };
        assert_eq!(VideoBody::read(&body).unwrap(), VideoBody { codec: VideoCodec::Av1, packet });
        let body = [&[0x90], &b"avc1"[..], &[1]].concat();
        assert_eq!(VideoBody::read(&body).unwrap().packet, VideoPacket::Config(&[1]));
        assert_eq!(VideoBody::read(b"\x90vp08"), Err(BodyError::Codec));
        assert_eq!(VideoBody::read(b"\x96\x00avc1"), Err(BodyError::Codec));
    }

    #[test]
    fn audio_is_read() {
        assert_eq!(
            AudioBody::read(&[0xaf, 0, 0x12, 0x10]).unwrap().packet,
            AudioPacket::Config(&[0x12, 0x10])
        );
        assert_eq!(AudioBody::read(&[0xaf, 1, 3]).unwrap().packet, AudioPacket::Frame(&[3]));
        assert_eq!(AudioBody::read(&[0xaf, 1]).unwrap().packet, AudioPacket::Nothing);
        let opus = AudioBody::read(b"\x91Opus\x42").unwrap();
        assert_eq!((opus.codec, opus.packet), (AudioCodec::Opus, AudioPacket::Frame(&[0x42])));
        assert_eq!(AudioBody::read(&[0x00, 1]), Err(BodyError::Codec));
        assert_eq!(AudioBody::read(&[]), Err(BodyError::Truncated));
    }
}
