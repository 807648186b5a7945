//! The header of a chunk: which chunk stream, and what differs from the chunk before in it.

use crate::read::Reader;

/// The greatest number in the field of 24 bits says that the time follows in 32.
pub(super) const EXTENDED: u32 = 0xff_ffff;

/// A header as it was sent, without the extended timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChunkHeader {
    pub(super) chunk_stream: u32,
    /// 0 to 3: how much of the message's header is here.
    pub(super) format: u8,
    /// Timestamp (format 0) or difference (1, 2).
    pub(super) time: Option<u32>,
    pub(super) length_and_kind: Option<(usize, u8)>,
    pub(super) stream_id: Option<u32>,
}

impl ChunkHeader {
    /// Reads a header; `None` while it is not all there. With it comes what follows.
    pub(super) fn read<'a>(bytes: &'a [u8]) -> Option<(Self, Reader<'a>)> {
        let mut reader = Reader::new(bytes);
        let first = reader.u8()?;
        let chunk_stream = match first & 0x3f {
            0 => 64 + u32::from(reader.u8()?),
            1 => 64 + u32::from(u16::from_le_bytes(reader.array()?)),
            small => u32::from(small),
        };
        let format = first >> 6;
        let time = if format < 3 { Some(reader.u24()?) } else { None };
        let length_and_kind = if format < 2 {
            let length = usize::try_from(reader.u24()?).ok()?;
            Some((length, reader.u8()?))
        } else {
            None
        };
        let stream_id = if format == 0 { Some(u32::from_le_bytes(reader.array()?)) } else { None };
        Some((Self { chunk_stream, format, time, length_and_kind, stream_id }, reader))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_streams_have_one_two_or_three_bytes() {
        let number = |bytes: &[u8]| ChunkHeader::read(bytes).map(|(header, _)| header.chunk_stream);
        assert_eq!(number(&[0xc3]), Some(3));
        assert_eq!(number(&[0xc0, 10]), Some(74));
        assert_eq!(number(&[0xc1, 1, 2]), Some(64 + 1 + 512));
        assert_eq!(number(&[0xc1, 1]), None);
    }

    #[test]
    fn each_format_has_less_than_the_one_before() {
        let full = [0x03, 0, 0, 9, 0, 1, 0, 20, 1, 0, 0, 0];
        let (header, rest) = ChunkHeader::read(&full).unwrap();
        assert_eq!(
            (header.time, header.length_and_kind, header.stream_id),
            (Some(9), Some((256, 20)), Some(1))
        );
        assert!(rest.is_empty());
        for end in 0..full.len() {
            assert_eq!(ChunkHeader::read(&full[..end]).map(|_| ()), None);
        }
        let (header, _) = ChunkHeader::read(&[0x83, 0, 0, 9]).unwrap();
        assert_eq!((header.time, header.length_and_kind, header.stream_id), (Some(9), None, None));
    }
}
