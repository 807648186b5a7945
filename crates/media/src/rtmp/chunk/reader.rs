//! Chunks to messages.

use std::collections::HashMap;

use bytes::{Buf, BytesMut};

use super::header::{ChunkHeader, EXTENDED};
use super::{ChunkError, MAX_CHUNK_STREAMS, Message, kind};
use crate::read::Reader;

const DEFAULT_CHUNK_SIZE: usize = 128;
/// Chunks may be announced larger, but none is longer than its message.
const MAX_CHUNK_SIZE: usize = 16 << 20;
/// Reserved for a message that comes in several chunks; the rest as it comes.
const FIRST_RESERVE: usize = 4 << 10;

/// Puts messages together from chunks that may be interleaved. Unfinished messages hold at most twice the
/// greatest message that is allowed, all together.
#[derive(Debug)]
pub struct ChunkReader {
    chunk_size: usize,
    max_message: usize,
    streams: HashMap<u32, ChunkStream>,
    /// The chunk that is being read, and how many bytes of it are still to come.
    current: Option<(u32, usize)>,
    unfinished: usize,
}

/// What a chunk stream remembers for the next header.
#[derive(Debug, Default)]
struct ChunkStream {
    timestamp: u32,
    delta: u32,
    length: usize,
    kind: u8,
    stream_id: u32,
    /// The field of the last header, when it was an extended one.
    extended: Option<u32>,
    /// The message so far, while one is unfinished.
    partial: Option<BytesMut>,
}

impl ChunkReader {
    /// A reader that takes messages of at most `max_message` bytes.
    #[must_use]
    pub fn new(max_message: usize) -> Self {
        Self {
            chunk_size: DEFAULT_CHUNK_SIZE,
            max_message,
            streams: HashMap::new(),
            current: None,
            unfinished: 0,
        }
    }

    /// Takes longer messages from now on.
    pub fn set_max_message(&mut self, max_message: usize) {
        self.max_message = max_message;
    }

    /// How many bytes unfinished messages hold.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// The next whole message; consumes what it has read. Chunk sizes and aborts are followed here.
    ///
    /// # Errors
    /// When the bytes break the protocol or a limit.
    pub fn next_message(&mut self, input: &mut BytesMut) -> Result<Option<Message>, ChunkError> {
        loop {
            let complete = match self.current {
                Some((number, left)) => self.read_payload(number, left, input)?,
                None => match self.read_header(input)? {
                    Some(complete) => complete,
                    None => return Ok(None),
                },
            };
            match complete {
                Some(message) if !self.follow(&message)? => return Ok(Some(message)),
                Some(_) => {}
                None if self.current.is_some() => return Ok(None),
                None => {}
            }
        }
    }

    /// Reads a header and, when it is all there, the message. `None`: more bytes are needed.
    fn read_header(&mut self, input: &mut BytesMut) -> Result<Option<Option<Message>>, ChunkError> {
        let Some((header, after)) = ChunkHeader::read(input) else { return Ok(None) };
        let number = header.chunk_stream;
        let known = self.streams.get(&number);
        if known.is_none() && header.format > 1 {
            return Err(ChunkError::NoHeader(number));
        }
        if known.is_none() && self.streams.len() >= MAX_CHUNK_STREAMS {
            return Err(ChunkError::TooManyStreams);
        }
        let inside = known.is_some_and(|stream| stream.partial.is_some());
        if inside && header.format < 3 {
            return Err(ChunkError::HeaderInMessage(number));
        }
        let Some((time, extended, rest)) =
            read_time(&header, known.and_then(|stream| stream.extended), after)
        else {
            return Ok(None);
        };
        let consumed = input.len() - rest;
        let stream = self.streams.entry(number).or_default();
        if let Some((length, kind)) = header.length_and_kind {
            (stream.length, stream.kind) = (length, kind);
        }
        if stream.length > self.max_message {
            return Err(ChunkError::TooLong { length: stream.length, limit: self.max_message });
        }
        if let Some(stream_id) = header.stream_id {
            stream.stream_id = stream_id;
        }
        if !inside {
            stream.extended = extended;
            stream.begin(header.format, time);
        }
        input.advance(consumed);
        let chunk = stream.left().min(self.chunk_size);
        // The usual case: the message is one chunk and has arrived, so nothing is copied.
        if !inside && chunk == stream.length && input.len() >= chunk {
            stream.partial = None;
            return Ok(Some(Some(stream.message(input.split_to(chunk)))));
        }
        self.current = Some((number, chunk));
        self.read_payload(number, chunk, input).map(Some)
    }

    fn read_payload(
        &mut self,
        number: u32,
        left: usize,
        input: &mut BytesMut,
    ) -> Result<Option<Message>, ChunkError> {
        let count = left.min(input.len());
        self.current = if count < left { Some((number, left - count)) } else { None };
        let Some(stream) = self.streams.get_mut(&number) else { return Ok(None) };
        let Some(partial) = stream.partial.as_mut() else { return Ok(None) };
        if partial.is_empty() {
            partial.reserve(stream.length.min(FIRST_RESERVE));
        }
        partial.extend_from_slice(&input.split_to(count));
        self.unfinished += count;
        if self.unfinished > 2 * self.max_message {
            return Err(ChunkError::TooMuchUnfinished(2 * self.max_message));
        }
        if stream.left() > 0 {
            return Ok(None);
        }
        let body = stream.partial.take().unwrap_or_default();
        self.unfinished -= body.len();
        Ok(Some(stream.message(body)))
    }

    /// Does what a message asks of the reader itself; false when it is for others.
    fn follow(&mut self, message: &Message) -> Result<bool, ChunkError> {
        let mut reader = Reader::new(&message.body);
        match message.kind {
            kind::SET_CHUNK_SIZE => {
                let size = reader.u32().unwrap_or(0);
                if size == 0 || size > i32::MAX.cast_unsigned() {
                    return Err(ChunkError::ChunkSize(size));
                }
                self.chunk_size = usize::try_from(size).unwrap_or(MAX_CHUNK_SIZE).min(MAX_CHUNK_SIZE);
                Ok(true)
            }
            kind::ABORT => {
                let aborted = reader.u32().and_then(|number| self.streams.get_mut(&number));
                if let Some(partial) = aborted.and_then(|stream| stream.partial.take()) {
                    self.unfinished -= partial.len();
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

impl ChunkStream {
    /// A new message: its time, by the header's format. One of format 3 repeats the last difference.
    fn begin(&mut self, format: u8, time: Option<u32>) {
        match (format, time) {
            (0, Some(timestamp)) => (self.timestamp, self.delta) = (timestamp, 0),
            (_, Some(delta)) => {
                self.delta = delta;
                self.timestamp = self.timestamp.wrapping_add(delta);
            }
            (_, None) => self.timestamp = self.timestamp.wrapping_add(self.delta),
        }
        self.partial = Some(BytesMut::new());
    }

    fn left(&self) -> usize {
        self.length - self.partial.as_ref().map_or(0, BytesMut::len).min(self.length)
    }

    fn message(&self, body: BytesMut) -> Message {
        Message { kind: self.kind, timestamp: self.timestamp, stream_id: self.stream_id, body: body.freeze() }
    }
}

/// The time in the header (`None` for format 3), what is to be remembered of an extended one, and how many
/// bytes are left behind the header. `None`: more bytes are needed.
///
/// After an extended time, chunks of format 3 repeat it; some encoders leave it out, so that it only counts
/// when the four bytes are the same.
fn read_time(
    header: &ChunkHeader,
    remembered: Option<u32>,
    mut after: Reader<'_>,
) -> Option<(Option<u32>, Option<u32>, usize)> {
    match header.time {
        Some(EXTENDED) => {
            let time = after.u32()?;
            Some((Some(time), Some(time), after.rest().len()))
        }
        Some(time) => Some((Some(time), None, after.rest().len())),
        None => {
            if let Some(time) = remembered {
                let mut repeated = after.clone();
                if repeated.u32()? == time {
                    after = repeated;
                }
            }
            Some((None, remembered, after.rest().len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 64 << 10;

    fn read_all(reader: &mut ChunkReader, bytes: &[u8]) -> Vec<Message> {
        let mut input = BytesMut::from(bytes);
        std::iter::from_fn(|| reader.next_message(&mut input).unwrap()).collect()
    }

    fn full(number: u8, time: u32, length: usize, kind: u8) -> Vec<u8> {
        let length = u32::try_from(length).unwrap().to_be_bytes();
        [&[number], &time.min(EXTENDED).to_be_bytes()[1..], &length[1..], &[kind, 1, 0, 0, 0]].concat()
    }

    #[test]
    fn a_message_without_header_comes_after_the_same_time_again() {
        let mut bytes = full(4, 1000, 2, 8);
        bytes.extend(b"aa");
        bytes.extend([0x84, 0, 0, 23, b'b', b'b']);
        bytes.extend([0xc4, b'c', b'c', 0xc4, b'd', b'd']);
        let messages = read_all(&mut ChunkReader::new(LIMIT), &bytes);
        let times: Vec<u32> = messages.iter().map(|message| message.timestamp).collect();
        assert_eq!(times, [1000, 1023, 1046, 1069]);
        assert_eq!(&messages[3].body[..], b"dd");
    }

    #[test]
    fn interleaved_messages_are_kept_apart() {
        let mut bytes = full(4, 0, 200, 8);
        bytes.extend([b'a'; 128]);
        bytes.extend(full(6, 5, 150, 9));
        bytes.extend([b'v'; 128]);
        bytes.push(0xc4);
        bytes.extend([b'a'; 72]);
        bytes.push(0xc6);
        bytes.extend([b'v'; 22]);
        let messages = read_all(&mut ChunkReader::new(LIMIT), &bytes);
        assert_eq!(messages[0].body, vec![b'a'; 200]);
        assert_eq!((messages[1].kind, messages[1].body.len()), (9, 150));
    }

    #[test]
    fn every_cut_of_the_bytes_gives_the_same_messages() {
        let mut bytes = full(4, 0, 300, 8);
        bytes.extend([1; 128]);
        bytes.push(0xc4);
        bytes.extend([2; 128]);
        bytes.push(0xc4);
        bytes.extend([3; 44]);
        bytes.extend(full(3, 7, 0, 20));
        for cut in 0..bytes.len() {
            let mut reader = ChunkReader::new(LIMIT);
            let mut messages = Vec::new();
            let mut input = BytesMut::new();
            for part in [&bytes[..cut], &bytes[cut..]] {
                input.extend_from_slice(part);
                while let Some(message) = reader.next_message(&mut input).unwrap() {
                    messages.push(message);
                }
            }
            assert_eq!(messages.len(), 2, "cut at {cut}");
            assert_eq!(messages[0].body.len(), 300);
            assert_eq!(reader.unfinished(), 0);
        }
    }

    #[test]
    fn an_extended_time_may_or_may_not_be_repeated() {
        let time = 0x0100_0000u32;
        for repeated in [true, false] {
            let mut bytes = full(4, time, 150, 8);
            bytes.extend(time.to_be_bytes());
            bytes.extend([9; 128]);
            bytes.push(0xc4);
            if repeated {
                bytes.extend(time.to_be_bytes());
            }
            bytes.extend([9; 22]);
            let messages = read_all(&mut ChunkReader::new(LIMIT), &bytes);
            assert_eq!((messages[0].timestamp, &messages[0].body[..]), (time, &[9u8; 150][..]));
        }
    }

    #[test]
    fn an_abort_forgets_what_was_begun() {
        let mut bytes = full(4, 0, 200, 8);
        bytes.extend([1; 128]);
        bytes.extend(full(2, 0, 4, 2));
        bytes.extend(4u32.to_be_bytes());
        bytes.extend(full(4, 9, 1, 8));
        bytes.push(7);
        let mut reader = ChunkReader::new(LIMIT);
        let messages = read_all(&mut reader, &bytes);
        assert_eq!((messages.len(), messages[0].timestamp, reader.unfinished()), (1, 9, 0));
    }

    #[test]
    fn what_breaks_a_limit_is_an_error() {
        let error = |bytes: &[u8]| {
            let mut input = BytesMut::from(bytes);
            let mut reader = ChunkReader::new(LIMIT);
            loop {
                match reader.next_message(&mut input) {
                    Ok(Some(_)) => {}
                    other => return other.unwrap_err(),
                }
            }
        };
        assert_eq!(error(&[0xc4]), ChunkError::NoHeader(4));
        let too_long = ChunkError::TooLong { length: LIMIT + 1, limit: LIMIT };
        assert_eq!(error(&full(4, 0, LIMIT + 1, 8)), too_long);
        let size = |size: u32| [full(2, 0, 4, 1), size.to_be_bytes().to_vec()].concat();
        assert_eq!(error(&size(0)), ChunkError::ChunkSize(0));
        assert_eq!(error(&size(1 << 31)), ChunkError::ChunkSize(1 << 31));
        let many: Vec<u8> = (3..20).flat_map(|number| full(number, 0, 0, 8)).collect();
        assert_eq!(error(&many), ChunkError::TooManyStreams);
        let inside = [full(4, 0, 200, 8), vec![0; 128], full(4, 0, 200, 8)].concat();
        assert_eq!(error(&inside), ChunkError::HeaderInMessage(4));
        // Five messages of 40 kB each, all but the last byte.
        let chunk = (64u32 << 10).to_be_bytes();
        let mut unfinished = [full(2, 0, 4, 1), chunk.to_vec()].concat();
        unfinished = [unfinished, size(30_000)].concat();
        for number in 3..9 {
            unfinished.extend(full(number, 0, 40_000, 8));
            unfinished.extend(vec![0; 30_000]);
        }
        assert_eq!(error(&unfinished), ChunkError::TooMuchUnfinished(2 * LIMIT));
    }

    #[test]
    fn the_largest_chunk_size_is_taken() {
        let mut bytes = [full(2, 0, 4, 1), i32::MAX.to_be_bytes().to_vec()].concat();
        bytes.extend(full(4, 0, 60_000, 8));
        bytes.extend(vec![5; 60_000]);
        assert_eq!(read_all(&mut ChunkReader::new(LIMIT), &bytes)[0].body.len(), 60_000);
    }
}
