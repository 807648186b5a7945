//! Opus: the identification header (RFC 7845 §5.1) and the length of a packet (RFC 6716 §3.1).

use crate::read::Reader;

/// Opus counts in samples of 48 kHz whatever it was fed with.
pub const OPUS_RATE: u32 = 48_000;
/// A packet holds at most 120 ms.
const MAX_SAMPLES: u32 = 5_760;

/// How Opus packets are to be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpusHead {
    /// Channels.
    pub channels: u8,
    /// Samples to drop at the start.
    pub pre_skip: u16,
    /// What the encoder was fed with, in Hz; only for information.
    pub input_rate: u32,
    /// Q7.8 in dB.
    pub gain: i16,
    /// 0: mono or stereo; others have a table of streams, which is kept as it came.
    pub mapping_family: u8,
}

impl OpusHead {
    /// Reads the header with or without its magic.
    #[must_use]
    pub fn read(config: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(config.strip_prefix(b"OpusHead").unwrap_or(config));
        let _version = reader.u8()?;
        let channels = reader.u8().filter(|channels| *channels > 0)?;
        let pre_skip = u16::from_le_bytes(reader.array()?);
        let input_rate = u32::from_le_bytes(reader.array()?);
        let gain = i16::from_le_bytes(reader.array()?);
        let mapping_family = reader.u8()?;
        Some(Self { channels, pre_skip, input_rate, gain, mapping_family })
    }
}

/// Samples at 48 kHz that a packet holds, by its first bytes; `None` when it is empty or impossible.
#[must_use]
pub fn packet_samples(packet: &[u8]) -> Option<u32> {
    let toc = packet.first()?;
    let frame = match toc >> 3 {
        config @ 0..=11 => [480, 960, 1920, 2880].get(usize::from(config % 4)).copied()?,
        config @ 12..=15 => [480, 960].get(usize::from(config % 2)).copied()?,
        config => [120, 240, 480, 960].get(usize::from(config % 4)).copied()?,
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3f),
    };
    Some(frame * frames).filter(|samples| (1..=MAX_SAMPLES).contains(samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read() {
        let head = b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00";
        let read = OpusHead::read(head).unwrap();
        assert_eq!((read.channels, read.pre_skip, read.input_rate), (2, 312, 48_000));
        assert_eq!(OpusHead::read(&head[..12]), None);
    }

    #[test]
    fn packets_tell_their_length() {
        // CELT 20 ms: one frame; two frames; three by count.
        assert_eq!(packet_samples(&[31 << 3]), Some(960));
        assert_eq!(packet_samples(&[31 << 3 | 1]), Some(1920));
        assert_eq!(packet_samples(&[31 << 3 | 3, 3]), Some(2880));
        assert_eq!(packet_samples(&[31 << 3 | 3]), None);
        assert_eq!(packet_samples(&[3 << 3 | 3, 63]), None);
        assert_eq!(packet_samples(&[]), None);
    }
}
