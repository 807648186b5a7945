//! Sample entries: what a decoder configuration is in an MP4 file.

use mp4_atom::{
    Atom, Audio, Av01, Av1c, Avc1, Avcc, Codec, Dops, Esds, Hvc1, Hvcc, Mp4a, Opus, Visual, esds,
};

use crate::codec::{
    AudioCodec, AudioSpecificConfig, OPUS_RATE, OpusHead, VideoCodec, VideoInfo, opus_packet_samples,
};
use crate::flv::{AudioBody, AudioPacket, VideoBody, VideoPacket};

/// Object type of AAC in an elementary stream descriptor.
const MPEG4_AUDIO: u8 = 0x40;
/// Stream type of sound there.
const AUDIO_STREAM: u8 = 5;

/// Pictures of one configuration.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct VideoTrack {
    pub(super) entry: Codec,
    pub(super) width: u16,
    pub(super) height: u16,
}

/// Sound of one configuration.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AudioTrack {
    pub(super) entry: Codec,
    pub(super) codec: AudioCodec,
    /// Samples per second, and the track's unit of time.
    pub(super) rate: u32,
    frame_samples: u32,
}

impl VideoTrack {
    /// Reads the body of a configuration tag; `None` for codecs that HLS cannot carry here.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let VideoBody { codec, packet: VideoPacket::Config(config) } = VideoBody::read(body).ok()? else {
            return None;
        };
        let info = VideoInfo::read(codec, config);
        let (width, height) = (u16::try_from(info.width).ok()?, u16::try_from(info.height).ok()?);
        let visual = Visual { data_reference_index: 1, width, height, ..Visual::default() };
        let mut config = config;
        let entry = match codec {
            VideoCodec::Avc => {
                Codec::Avc1(Avc1 { visual, avcc: Avcc::decode_body(&mut config).ok()?, ..Avc1::default() })
            }
            VideoCodec::Hevc => {
                Codec::Hvc1(Hvc1 { visual, hvcc: Hvcc::decode_body(&mut config).ok()?, ..Hvc1::default() })
            }
            VideoCodec::Av1 => {
                Codec::Av01(Av01 { visual, av1c: Av1c::decode_body(&mut config).ok()?, ..Av01::default() })
            }
            VideoCodec::Vp9 => return None,
        };
        Some(Self { entry, width, height })
    }
}

impl AudioTrack {
    /// Reads the body of a configuration tag; `None` for codecs that HLS cannot carry here.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let AudioBody { codec, packet: AudioPacket::Config(config) } = AudioBody::read(body).ok()? else {
            return None;
        };
        match codec {
            AudioCodec::Aac => Self::aac(config),
            AudioCodec::Opus => Self::opus(config),
            AudioCodec::Mp3 => None,
        }
    }

    fn aac(config: &[u8]) -> Option<Self> {
        let read = AudioSpecificConfig::read(config)?;
        let dec_specific = esds::DecoderSpecific {
            profile: u8::try_from(read.object_type).ok()?,
            freq_index: u8::try_from(read.rate_index).ok()?,
            chan_conf: u8::try_from(read.channel_config).ok()?,
            // Without the whole configuration, what HE-AAC adds would be lost.
            raw: config.to_vec(),
        };
        let dec_config = esds::DecoderConfig {
            object_type_indication: MPEG4_AUDIO,
            stream_type: AUDIO_STREAM,
            dec_specific: Some(dec_specific),
            ..esds::DecoderConfig::default()
        };
        let es_desc = esds::EsDescriptor { dec_config, ..esds::EsDescriptor::default() };
        let audio = audio(u16::try_from(read.channels).ok()?, read.rate);
        let entry = Codec::Mp4a(Mp4a { audio, esds: Esds { es_desc }, btrt: None, taic: None });
        Some(Self { entry, codec: AudioCodec::Aac, rate: read.rate, frame_samples: read.frame_samples })
    }

    fn opus(config: &[u8]) -> Option<Self> {
        // Mono and stereo; tables of streams are not carried.
        let head = OpusHead::read(config).filter(|head| head.mapping_family == 0)?;
        let dops = Dops {
            output_channel_count: head.channels,
            pre_skip: head.pre_skip,
            input_sample_rate: head.input_rate,
            output_gain: head.gain,
            channel_mapping: None,
        };
        let entry = Codec::Opus(Opus { audio: audio(head.channels.into(), OPUS_RATE), dops, btrt: None });
        Some(Self { entry, codec: AudioCodec::Opus, rate: OPUS_RATE, frame_samples: 960 })
    }

    /// Samples that a frame holds.
    pub(super) fn samples(&self, data: &[u8]) -> u32 {
        match self.codec {
            AudioCodec::Opus => opus_packet_samples(data).unwrap_or(self.frame_samples),
            _ => self.frame_samples,
        }
    }
}

fn audio(channel_count: u16, rate: u32) -> Audio {
    // The field has 16 bits; what is above stands in the codec's own configuration.
    let sample_rate = u16::try_from(rate).unwrap_or(0).into();
    Audio { data_reference_index: 1, channel_count, sample_size: 16, sample_rate }
}
