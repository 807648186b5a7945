//! H.265: the HEVCDecoderConfigurationRecord (ISO 14496-15 §8.3.3) and the size in its SPS (H.265 §7.3.2.2).
//! The rate stands behind much that nobody needs here; streams are measured instead.

use super::{VideoCodec, VideoInfo, cropped, unescape};
use crate::read::{Bits, Reader};

const MAX_SPS: usize = 2048;
const SPS: u8 = 33;
/// Bits of the general part of `profile_tier_level` before its level, and of a sub-layer's.
const PROFILE_BITS: usize = 88;
const LEVEL_BITS: usize = 8;

/// Reads `hvcC`.
pub(super) fn read(config: &[u8]) -> Option<VideoInfo> {
    let mut reader = Reader::new(config);
    let _version = reader.u8()?;
    let profile = reader.u8()?;
    let compatibility = reader.u32()?;
    let constraints: [u8; 6] = reader.array()?;
    let level = reader.u8()?;
    // Segmentation, parallelism, chroma, depths, rate, length size.
    reader.take(9)?;
    let arrays = reader.u8()?;
    let (width, height) = (0..arrays).find_map(|_| read_array(&mut reader))?;
    Some(VideoInfo {
        codec: VideoCodec::Hevc,
        codec_string: Some(codec_string(profile, compatibility, constraints, level)),
        width,
        height,
        fps: None,
    })
}

/// The size, if this array of NAL units holds an SPS.
fn read_array(reader: &mut Reader<'_>) -> Option<(u32, u32)> {
    let kind = reader.u8()? & 0x3f;
    let count = reader.u16()?;
    let mut size = None;
    for _ in 0..count {
        let length = reader.u16()?;
        let nal = reader.take(usize::from(length))?;
        if kind == SPS && size.is_none() {
            size = read_sps(nal);
        }
    }
    size
}

fn read_sps(nal: &[u8]) -> Option<(u32, u32)> {
    let payload = unescape(nal, MAX_SPS);
    let mut bits = Bits::new(&payload);
    bits.skip(16 + 4)?;
    let sub_layers = bits.read(3)?;
    bits.flag()?;
    skip_profile_tier_level(&mut bits, sub_layers)?;
    // sps_seq_parameter_set_id
    bits.unsigned_golomb()?;
    let chroma = bits.unsigned_golomb().filter(|format| *format <= 3)?;
    let separate_planes = if chroma == 3 { bits.flag()? } else { false };
    let (width, height) = (bits.unsigned_golomb()?, bits.unsigned_golomb()?);
    let [left, right, top, bottom] = if bits.flag()? {
        [bits.unsigned_golomb()?, bits.unsigned_golomb()?, bits.unsigned_golomb()?, bits.unsigned_golomb()?]
    } else {
        [0; 4]
    };
    let (crop_x, crop_y) = match chroma {
        _ if separate_planes => (1, 1),
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    Some((cropped(width, crop_x, left, right)?, cropped(height, crop_y, top, bottom)?))
}

fn skip_profile_tier_level(bits: &mut Bits<'_>, sub_layers: u32) -> Option<()> {
    bits.skip(PROFILE_BITS + LEVEL_BITS)?;
    let mut present = Vec::new();
    for _ in 0..sub_layers {
        present.push((bits.flag()?, bits.flag()?));
    }
    if sub_layers > 0 {
        for _ in sub_layers..8 {
            bits.skip(2)?;
        }
    }
    for (profile, level) in present {
        bits.skip(if profile { PROFILE_BITS } else { 0 } + if level { LEVEL_BITS } else { 0 })?;
    }
    Some(())
}

/// ISO 14496-15 annex E: `hvc1.1.6.L93.b0`.
fn codec_string(profile: u8, compatibility: u32, constraints: [u8; 6], level: u8) -> String {
    let space = match profile >> 6 {
        1 => "A",
        2 => "B",
        3 => "C",
        _ => "",
    };
    let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
    let mut text = format!("hvc1.{space}{}.{:x}.{tier}{level}", profile & 0x1f, compatibility.reverse_bits());
    let used = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for byte in constraints.iter().take(used) {
        text.push_str(&format!(".{byte:x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codec_is_written_as_browsers_read_it() {
        assert_eq!(codec_string(1, 0x6000_0000, [0xb0, 0, 0, 0, 0, 0], 93), "hvc1.1.6.L93.b0");
        assert_eq!(codec_string(0x22, 0x2000_0000, [0; 6], 120), "hvc1.2.4.H120");
    }

    #[test]
    fn a_record_cut_short_is_none() {
        for length in 0..23 {
            assert_eq!(read(&vec![1; length]), None);
        }
    }
}
