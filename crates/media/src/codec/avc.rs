//! H.264: the AVCDecoderConfigurationRecord (ISO 14496-15 §5.3.3) and its SPS (H.264 §7.3.2.1).

use super::{VideoCodec, VideoInfo, cropped, unescape};
use crate::read::{Bits, Reader};

/// An SPS is some tens of bytes, with scaling lists some hundreds.
const MAX_SPS: usize = 2048;
/// Profiles whose SPS tells the chroma format and may bring scaling lists.
const HIGH_PROFILES: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// Reads `avcC`.
pub(super) fn read(config: &[u8]) -> Option<VideoInfo> {
    let mut reader = Reader::new(config);
    let _version = reader.u8().filter(|version| *version == 1)?;
    let (profile, compatibility, level) = (reader.u8()?, reader.u8()?, reader.u8()?);
    let _length_size = reader.u8()?;
    let _sps_count = reader.u8().filter(|count| count & 0x1f > 0)?;
    let length = reader.u16()?;
    let sps = read_sps(reader.take(usize::from(length))?)?;
    Some(VideoInfo {
        codec: VideoCodec::Avc,
        codec_string: Some(format!("avc1.{profile:02x}{compatibility:02x}{level:02x}")),
        width: sps.width,
        height: sps.height,
        fps: sps.fps,
    })
}

#[derive(Debug, PartialEq)]
struct Sps {
    width: u32,
    height: u32,
    fps: Option<f64>,
}

fn read_sps(nal: &[u8]) -> Option<Sps> {
    let payload = unescape(nal, MAX_SPS);
    let mut bits = Bits::new(&payload);
    bits.skip(8)?;
    let profile = bits.read(8)?;
    // Constraints and level.
    bits.skip(16)?;
    bits.unsigned_golomb()?;
    let (chroma_format, separate_planes) = read_chroma(&mut bits, profile)?;
    // log2_max_frame_num
    bits.unsigned_golomb()?;
    skip_picture_order(&mut bits)?;
    // max_num_ref_frames, gaps_in_frame_num_value_allowed_flag
    bits.unsigned_golomb()?;
    bits.flag()?;
    let width_units = bits.unsigned_golomb()?.checked_add(1)?;
    let height_units = bits.unsigned_golomb()?.checked_add(1)?;
    let frames_only = bits.flag()?;
    if !frames_only {
        bits.flag()?;
    }
    // direct_8x8_inference_flag
    bits.flag()?;
    let [left, right, top, bottom] = if bits.flag()? {
        [bits.unsigned_golomb()?, bits.unsigned_golomb()?, bits.unsigned_golomb()?, bits.unsigned_golomb()?]
    } else {
        [0; 4]
    };
    let fields = if frames_only { 1 } else { 2 };
    let (crop_x, crop_y) = match chroma_format {
        _ if separate_planes => (1, 1),
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    Some(Sps {
        width: cropped(width_units.checked_mul(16)?, crop_x, left, right)?,
        height: cropped(height_units.checked_mul(16)?.checked_mul(fields)?, crop_y * fields, top, bottom)?,
        fps: read_fps(&mut bits),
    })
}

/// The chroma format and whether planes are coded apart.
fn read_chroma(bits: &mut Bits<'_>, profile: u32) -> Option<(u32, bool)> {
    if !HIGH_PROFILES.contains(&profile) {
        return Some((1, false));
    }
    let format = bits.unsigned_golomb().filter(|format| *format <= 3)?;
    let separate = if format == 3 { bits.flag()? } else { false };
    // Bit depths, qpprime_y_zero_transform_bypass_flag
    bits.unsigned_golomb()?;
    bits.unsigned_golomb()?;
    bits.flag()?;
    if bits.flag()? {
        for list in 0..if format == 3 { 12 } else { 8 } {
            if bits.flag()? {
                skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Some((format, separate))
}

fn skip_scaling_list(bits: &mut Bits<'_>, size: u32) -> Option<()> {
    let (mut last, mut next) = (8i32, 8i32);
    for _ in 0..size {
        if next != 0 {
            next = last.checked_add(bits.signed_golomb()?)?.rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}

fn skip_picture_order(bits: &mut Bits<'_>) -> Option<()> {
    match bits.unsigned_golomb()? {
        0 => {
            bits.unsigned_golomb()?;
        }
        1 => {
            bits.flag()?;
            bits.signed_golomb()?;
            bits.signed_golomb()?;
            let cycle = bits.unsigned_golomb().filter(|count| *count <= 255)?;
            for _ in 0..cycle {
                bits.signed_golomb()?;
            }
        }
        2 => {}
        _ => return None,
    }
    Some(())
}

/// The rate in the VUI; a VUI that cannot be read only costs the rate.
fn read_fps(bits: &mut Bits<'_>) -> Option<f64> {
    const EXTENDED_SAR: u32 = 255;
    if !bits.flag()? {
        return None;
    }
    if bits.flag()? && bits.read(8)? == EXTENDED_SAR {
        bits.skip(32)?;
    }
    // overscan
    if bits.flag()? {
        bits.flag()?;
    }
    // video_signal_type
    if bits.flag()? {
        bits.skip(4)?;
        if bits.flag()? {
            bits.skip(24)?;
        }
    }
    // chroma_loc
    if bits.flag()? {
        bits.unsigned_golomb()?;
        bits.unsigned_golomb()?;
    }
    if !bits.flag()? {
        return None;
    }
    let (units, scale) = (bits.read(32)?, bits.read(32)?);
    let fps = f64::from(scale) / (2.0 * f64::from(units));
    (fps.is_finite() && (0.1..=1000.0).contains(&fps)).then_some(fps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By x264: 1280x720 at 30 frames per second, High profile.
    const SPS_720P: &[u8] = &[
        0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
        0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
    ];

    fn record(sps: &[u8]) -> Vec<u8> {
        let length = u16::try_from(sps.len()).unwrap().to_be_bytes();
        [&[1, 0x64, 0, 0x1f, 0xff, 0xe1], &length[..], sps, &[1, 0, 4, 0x68, 0xeb, 0xe3, 0xcb]].concat()
    }

    #[test]
    fn size_and_rate_are_read() {
        let info = read(&record(SPS_720P)).unwrap();
        assert_eq!((info.width, info.height, info.fps), (1280, 720, Some(30.0)));
        assert_eq!(info.codec_string.as_deref(), Some("avc1.64001f"));
    }

    #[test]
    fn a_configuration_without_sps_or_cut_short_is_none() {
        assert_eq!(read(&[1, 0x64, 0, 0x1f, 0xff, 0xe0]), None);
        let whole = record(SPS_720P);
        for end in 0..16 {
            assert_eq!(read(&whole[..end]), None);
        }
    }
}
