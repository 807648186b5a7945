//! Messages to chunks.

use bytes::{BufMut, Bytes, BytesMut};

use super::header::EXTENDED;

/// What this server announces and then uses: most messages are one chunk.
pub(crate) const OUT_CHUNK_SIZE: usize = 60_000;

/// Appends messages to a buffer, each with a full header.
#[derive(Debug, Clone, Copy)]
pub struct ChunkWriter {
    chunk_size: usize,
}

impl Default for ChunkWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl ChunkWriter {
    /// A writer for a peer that was told nothing yet: chunks of 128 bytes.
    #[must_use]
    pub fn new() -> Self {
        Self { chunk_size: 128 }
    }

    /// Uses another size from now on, which the peer must have been told. 0 is taken as 1.
    pub fn set_chunk_size(&mut self, chunk_size: usize) {
        self.chunk_size = chunk_size.max(1);
    }

    /// Appends a message on a chunk stream between 2 and 63.
    pub fn write(
        &self,
        out: &mut BytesMut,
        chunk_stream: u8,
        kind: u8,
        timestamp: u32,
        stream_id: u32,
        body: &[u8],
    ) {
        put_header(out, chunk_stream, kind, timestamp, stream_id, body.len());
        for (index, chunk) in body.chunks(self.chunk_size).enumerate() {
            if index > 0 {
                put_continuation(out, chunk_stream, timestamp);
            }
            out.put_slice(chunk);
        }
    }
}

/// A message in chunks of [`OUT_CHUNK_SIZE`] as pieces that share the body, to be written one after the other.
pub(crate) fn media_pieces(
    chunk_stream: u8,
    kind: u8,
    timestamp: u32,
    stream_id: u32,
    body: &Bytes,
) -> Vec<Bytes> {
    let mut header = BytesMut::with_capacity(16);
    put_header(&mut header, chunk_stream, kind, timestamp, stream_id, body.len());
    let mut pieces = vec![header.freeze()];
    let mut start = 0;
    while start < body.len() {
        if start > 0 {
            let mut header = BytesMut::with_capacity(5);
            put_continuation(&mut header, chunk_stream, timestamp);
            pieces.push(header.freeze());
        }
        let end = body.len().min(start + OUT_CHUNK_SIZE);
        pieces.push(body.slice(start..end));
        start = end;
    }
    pieces
}

fn put_header(out: &mut BytesMut, chunk_stream: u8, kind: u8, timestamp: u32, stream_id: u32, length: usize) {
    out.put_u8(chunk_stream & 0x3f);
    let [_, time @ ..] = timestamp.min(EXTENDED).to_be_bytes();
    out.put_slice(&time);
    let [_, length @ ..] = u32::try_from(length).unwrap_or(EXTENDED).to_be_bytes();
    out.put_slice(&length);
    out.put_u8(kind);
    out.put_u32_le(stream_id);
    if timestamp >= EXTENDED {
        out.put_u32(timestamp);
    }
}

fn put_continuation(out: &mut BytesMut, chunk_stream: u8, timestamp: u32) {
    out.put_u8(0xc0 | chunk_stream & 0x3f);
    if timestamp >= EXTENDED {
        out.put_u32(timestamp);
    }
}

#[cfg(test)]
mod tests {
    use super::super::ChunkReader;
    use super::*;

    #[test]
    fn a_reader_gets_back_what_was_written() {
        let body = Bytes::from(vec![3; 150_000]);
        for timestamp in [0, EXTENDED - 1, EXTENDED, u32::MAX] {
            let mut out = BytesMut::new();
            ChunkWriter::new().write(&mut out, 6, 9, timestamp, 1, &body);
            let message = ChunkReader::new(1 << 20).next_message(&mut out).unwrap().unwrap();
            assert_eq!((message.timestamp, message.stream_id, &message.body), (timestamp, 1, &body));
            assert!(out.is_empty());
        }
    }

    #[test]
    fn shared_pieces_are_the_same_bytes() {
        let body = Bytes::from(vec![7; 130_000]);
        for timestamp in [40, u32::MAX - 1] {
            let mut whole = BytesMut::new();
            let mut writer = ChunkWriter::new();
            writer.set_chunk_size(OUT_CHUNK_SIZE);
            writer.write(&mut whole, 6, 9, timestamp, 1, &body);
            assert_eq!(media_pieces(6, 9, timestamp, 1, &body).concat(), whole);
        }
    }
}
