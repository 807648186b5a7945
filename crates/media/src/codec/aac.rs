//! AAC: the AudioSpecificConfig (ISO 14496-3 §1.6.2.1).

use crate::read::Bits;

const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// The index after which the rate follows as a number.
const EXPLICIT_RATE: u32 = 15;
const SBR: u32 = 5;
const PARAMETRIC_STEREO: u32 = 29;

/// How AAC frames are to be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioSpecificConfig {
    /// 2 is AAC-LC, 5 HE-AAC, 29 HE-AAC v2.
    pub object_type: u32,
    /// Samples per second of the core codec, which frames are counted by.
    pub rate: u32,
    /// Index of the rate in the standard's table, 15 when it is not there.
    pub rate_index: u32,
    /// The channel configuration; 7 stands for 8 channels.
    pub channel_config: u32,
    /// Channels; 0 when the frames themselves say it.
    pub channels: u32,
    /// Samples of each frame, 1024 or 960.
    pub frame_samples: u32,
}

impl AudioSpecificConfig {
    /// Reads the configuration; `None` when it is cut short or names no rate.
    #[must_use]
    pub fn read(config: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(config);
        let object_type = read_object_type(&mut bits)?;
        let (rate, rate_index) = read_rate(&mut bits)?;
        let channel_config = bits.read(4)?;
        if object_type == SBR || object_type == PARAMETRIC_STEREO {
            read_rate(&mut bits)?;
            read_object_type(&mut bits)?;
        }
        let short = bits.flag().unwrap_or(false);
        let channels = if channel_config == 7 { 8 } else { channel_config };
        let frame_samples = if short { 960 } else { 1024 };
        Some(Self { object_type, rate, rate_index, channel_config, channels, frame_samples })
    }
}

fn read_object_type(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.read(5)? {
        31 => bits.read(6)?.checked_add(32),
        kind => Some(kind),
    }
}

fn read_rate(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    let index = bits.read(4)?;
    let rate =
        if index == EXPLICIT_RATE { bits.read(24)? } else { *RATES.get(usize::try_from(index).ok()?)? };
    (rate > 0).then_some((rate, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_extended_configurations_are_read() {
        let plain = AudioSpecificConfig::read(&[0x11, 0x90]).unwrap();
        assert_eq!(
            (plain.object_type, plain.rate, plain.channels, plain.frame_samples),
            (2, 48_000, 2, 1024)
        );
        // HE-AAC: core 22050 Hz, extension 44100 Hz.
        let extended = AudioSpecificConfig::read(&[0x2b, 0x92, 0x08, 0x00]).unwrap();
        assert_eq!((extended.object_type, extended.rate, extended.channels), (5, 22_050, 2));
        // Its own rate as a number: 44056.
        let odd = AudioSpecificConfig::read(&[0x17, 0x80, 0x56, 0x0c, 0x08]).unwrap();
        assert_eq!((odd.rate, odd.rate_index, odd.channels), (44_056, 15, 1));
    }

    #[test]
    fn a_configuration_cut_short_is_none() {
        assert_eq!(AudioSpecificConfig::read(&[]), None);
        assert_eq!(AudioSpecificConfig::read(&[0x11]), None);
        assert_eq!(AudioSpecificConfig::read(&[0x16, 0xf8]), None);
    }
}
