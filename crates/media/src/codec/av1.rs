//! AV1: the AV1CodecConfigurationRecord and the sequence header OBU in it (AV1 §5.5).

use super::{MAX_SIDE, VideoCodec, VideoInfo};
use crate::read::{Bits, Reader};

const SEQUENCE_HEADER: u8 = 1;

/// Reads `av1C`.
pub(super) fn read(config: &[u8]) -> Option<VideoInfo> {
    let mut reader = Reader::new(config);
    let _marker = reader.u8().filter(|byte| *byte == 0x81)?;
    let (profile_level, depth) = (reader.u8()?, reader.u8()?);
    let _delay = reader.u8()?;
    let (profile, level) = (profile_level >> 5, profile_level & 0x1f);
    let tier = if depth & 0x80 == 0 { 'M' } else { 'H' };
    let bits = match (depth & 0x40 != 0, depth & 0x20 != 0) {
        (true, true) => 12,
        (true, false) => 10,
        _ => 8,
    };
    let (width, height) = find_sequence_header(reader).unwrap_or((0, 0));
    Some(VideoInfo {
        codec: VideoCodec::Av1,
        codec_string: Some(format!("av01.{profile}.{level:02}{tier}.{bits:02}")),
        width,
        height,
        fps: None,
    })
}

fn find_sequence_header(mut reader: Reader<'_>) -> Option<(u32, u32)> {
    while !reader.is_empty() {
        let header = reader.u8()?;
        if header & 0x04 != 0 {
            reader.u8()?;
        }
        let size = if header & 0x02 != 0 { leb128(&mut reader)? } else { reader.rest().len() };
        let payload = reader.take(size)?;
        if header >> 3 & 0x0f == SEQUENCE_HEADER {
            return read_sequence_header(payload);
        }
    }
    None
}

fn leb128(reader: &mut Reader<'_>) -> Option<usize> {
    let mut value = 0usize;
    for step in 0..4 {
        let byte = reader.u8()?;
        value |= usize::from(byte & 0x7f) << (7 * step);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn read_sequence_header(payload: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(payload);
    // seq_profile, still_picture
    bits.skip(4)?;
    let reduced = bits.flag()?;
    if reduced {
        bits.skip(5)?;
    } else {
        skip_operating_points(&mut bits)?;
    }
    let (width_bits, height_bits) = (bits.read(4)? + 1, bits.read(4)? + 1);
    let (width, height) = (bits.read(width_bits)? + 1, bits.read(height_bits)? + 1);
    (width <= MAX_SIDE && height <= MAX_SIDE).then_some((width, height))
}

fn skip_operating_points(bits: &mut Bits<'_>) -> Option<()> {
    let mut model = None;
    if bits.flag()? {
        // num_units_in_display_tick, time_scale
        bits.skip(64)?;
        if bits.flag()? {
            skip_uvlc(bits)?;
        }
        if bits.flag()? {
            let delay_bits = usize::try_from(bits.read(5)?).ok()? + 1;
            // num_units_in_decoding_tick and two more lengths
            bits.skip(32 + 10)?;
            model = Some(delay_bits);
        }
    }
    let display_delay = bits.flag()?;
    for _ in 0..=bits.read(5)? {
        bits.skip(12)?;
        if bits.read(5)? > 7 {
            bits.flag()?;
        }
        if let Some(delay_bits) = model
            && bits.flag()?
        {
            bits.skip(2 * delay_bits + 1)?;
        }
        if display_delay && bits.flag()? {
            bits.skip(4)?;
        }
    }
    Some(())
}

fn skip_uvlc(bits: &mut Bits<'_>) -> Option<()> {
    let mut zeros = 0usize;
    while !bits.flag()? {
        zeros += 1;
    }
    if zeros < 32 { bits.skip(zeros) } else { Some(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_codec_are_read() {
        // By SVT-AV1: 320x240, main profile, level 2.0.
        let config = [
            0x81, 0x00, 0x0c, 0x00, 0x0a, 0x0b, 0x00, 0x00, 0x00, 0x04, 0x3c, 0xff, 0xbc, 0xff, 0xe0, 0x08,
            0x40,
        ];
        let info = read(&config).unwrap();
        assert_eq!(info.codec_string.as_deref(), Some("av01.0.00M.08"));
    }

    #[test]
    fn a_record_without_a_header_has_no_size() {
        let info = read(&[0x81, 0x05, 0x0c, 0x00]).unwrap();
        assert_eq!((info.width, info.height), (0, 0));
        assert_eq!(read(&[0x81, 0x05]), None);
    }
}
