//! A stream of FLV bytes into tags, as a node reads it from another.

use bytes::{Buf, BytesMut};
use thiserror::Error;

use super::tag::{HEADER, MAX_TAG, TRAILER, Tag, TagKind};
use crate::read::Reader;

/// The header's own length may name more, which is skipped; never much.
const MAX_FILE_HEADER: u32 = 1024;
const FILE_HEADER: usize = 9;

/// Why bytes are no FLV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FlvError {
    /// Another signature or version.
    #[error("not an FLV file of version 1")]
    Signature,
    /// A header longer than any.
    #[error("the FLV header announces {0} bytes")]
    Header(u32),
    /// Longer than [`MAX_TAG`].
    #[error("an FLV tag announces {0} bytes, more than {MAX_TAG}")]
    TooLong(usize),
    /// Encrypted tags are not read.
    #[error("an FLV tag is encrypted")]
    Encrypted,
}

#[derive(Debug, Clone, Copy)]
enum State {
    FileHeader,
    /// So many bytes of the header and of the size before the first tag.
    Skip(usize),
    Tag,
}

/// Reads tags from bytes that come in pieces. It holds at most one unfinished tag beside what it was given.
#[derive(Debug)]
pub struct Demuxer {
    buffer: BytesMut,
    state: State,
}

impl Default for Demuxer {
    fn default() -> Self {
        Self::new()
    }
}

impl Demuxer {
    /// One that expects the file's header.
    #[must_use]
    pub fn new() -> Self {
        Self { buffer: BytesMut::new(), state: State::FileHeader }
    }

    /// Takes bytes. Call [`Demuxer::next_tag`] until it has none before more are added.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole tag, if it is there. Tags of unknown types are skipped.
    ///
    /// # Errors
    /// When the bytes are no FLV; nothing more can be read then.
    pub fn next_tag(&mut self) -> Result<Option<Tag>, FlvError> {
        loop {
            match self.state {
                State::FileHeader => {
                    let Some(length) = read_file_header(&self.buffer)? else { return Ok(None) };
                    self.state = State::Skip(length + TRAILER);
                }
                State::Skip(0) => self.state = State::Tag,
                State::Skip(left) => {
                    if self.buffer.is_empty() {
                        return Ok(None);
                    }
                    let count = left.min(self.buffer.len());
                    self.buffer.advance(count);
                    self.state = State::Skip(left - count);
                }
                State::Tag => match self.read_tag()? {
                    Some(Some(tag)) => return Ok(Some(tag)),
                    Some(None) => {}
                    None => return Ok(None),
                },
            }
        }
    }

    /// `Some(None)` is a tag of a type that is not known.
    fn read_tag(&mut self) -> Result<Option<Option<Tag>>, FlvError> {
        let Some(header) = TagHeader::read(&self.buffer) else { return Ok(None) };
        if header.length > MAX_TAG {
            return Err(FlvError::TooLong(header.length));
        }
        if header.encrypted {
            return Err(FlvError::Encrypted);
        }
        if self.buffer.len() < HEADER + header.length + TRAILER {
            return Ok(None);
        }
        self.buffer.advance(HEADER);
        let body = self.buffer.split_to(header.length).freeze();
        self.buffer.advance(TRAILER);
        Ok(Some(TagKind::from_number(header.kind).map(|kind| Tag {
            kind,
            timestamp: header.timestamp,
            body,
        })))
    }
}

/// The length of the file's header, once it is there.
fn read_file_header(bytes: &[u8]) -> Result<Option<usize>, FlvError> {
    let start = bytes.get(..4).unwrap_or(bytes);
    if !b"FLV\x01".starts_with(start) {
        return Err(FlvError::Signature);
    }
    let Some(announced) = bytes.get(5..FILE_HEADER) else { return Ok(None) };
    let length = Reader::new(announced).u32().unwrap_or(0);
    match usize::try_from(length) {
        Ok(whole) if whole >= FILE_HEADER && length <= MAX_FILE_HEADER => Ok(Some(whole)),
        _ => Err(FlvError::Header(length)),
    }
}

/// The eleven bytes before a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TagHeader {
    pub(crate) kind: u8,
    pub(crate) encrypted: bool,
    pub(crate) length: usize,
    pub(crate) timestamp: u32,
}

impl TagHeader {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let first = reader.u8()?;
        let length = usize::try_from(reader.u24()?).ok()?;
        let [high, middle, low, highest] = reader.array()?;
        reader.take(3)?;
        let timestamp = u32::from_be_bytes([highest, high, middle, low]);
        Some(Self { kind: first & 0x1f, encrypted: first & 0x20 != 0, length, timestamp })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{encode_tag, file_header};
    use super::*;

    fn file() -> Vec<u8> {
        let mut bytes = file_header(true, true).to_vec();
        bytes.extend(encode_tag(TagKind::Script, 0, b"meta"));
        bytes.extend(encode_tag(TagKind::Video, 0xfedc_ba98, &[7; 300]));
        bytes
    }

    #[test]
    fn tags_come_whole_however_the_bytes_are_cut() {
        for size in [1, 2, 7, 13, 1000] {
            let mut demuxer = Demuxer::new();
            let mut tags = Vec::new();
            for piece in file().chunks(size) {
                demuxer.push(piece);
                while let Some(tag) = demuxer.next_tag().unwrap() {
                    tags.push(tag);
                }
            }
            assert_eq!(tags.len(), 2);
            assert_eq!((tags[0].kind, &tags[0].body[..]), (TagKind::Script, &b"meta"[..]));
            assert_eq!((tags[1].timestamp, tags[1].body.len()), (0xfedc_ba98, 300));
        }
    }

    #[test]
    fn what_is_no_flv_is_refused_at_once() {
        let mut demuxer = Demuxer::new();
        demuxer.push(b"FLX");
        assert_eq!(demuxer.next_tag(), Err(FlvError::Signature));
        let mut demuxer = Demuxer::new();
        demuxer.push(&file_header(true, true));
        demuxer.push(&[9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(demuxer.next_tag(), Err(FlvError::TooLong(0xff_ffff)));
        let mut demuxer = Demuxer::new();
        demuxer.push(&[b'F', b'L', b'V', 1, 5, 0xff, 0, 0, 0]);
        assert_eq!(demuxer.next_tag(), Err(FlvError::Header(0xff00_0000)));
    }
}
