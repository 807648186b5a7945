//! WebSocket frames (RFC 6455, section 5.2): no more of them than the generator needs.

use anyhow::{Result, bail};

/// A text frame.
pub const TEXT: u8 = 1;
/// A closing frame.
pub const CLOSE: u8 = 8;
/// A ping.
pub const PING: u8 = 9;
/// A pong.
pub const PONG: u8 = 10;

const FINAL: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
/// Nothing that a server sends to the generator is as long.
const LONGEST: u64 = 16 << 20;

/// A frame, borrowed from the bytes that it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub opcode: u8,
    /// What it carries.
    pub payload: &'a [u8],
}

/// Splits the first frame of a server off `bytes`, with what follows it; `None` while it is incomplete.
pub fn split(bytes: &[u8]) -> Result<Option<(Frame<'_>, &[u8])>> {
    let &[head, length, ref rest @ ..] = bytes else { return Ok(None) };
    if head & FINAL == 0 || head & !(FINAL | OPCODE) != 0 {
        bail!("a fragment or an extension, first byte {head:#04x}");
    }
    if length & MASKED != 0 {
        bail!("a masked frame of a server");
    }
    let (length, rest) = match (length, rest) {
        (126, &[a, b, ref rest @ ..]) => (u64::from(u16::from_be_bytes([a, b])), rest),
        (127, &[a, b, c, d, e, f, g, h, ref rest @ ..]) => {
            (u64::from_be_bytes([a, b, c, d, e, f, g, h]), rest)
        }
        (126 | 127, _) => return Ok(None),
        (short, rest) => (u64::from(short), rest),
    };
    if length > LONGEST {
        bail!("a frame of {length} bytes");
    }
    let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    Ok(split.map(|(payload, rest)| (Frame { opcode: head & OPCODE, payload }, rest)))
}

/// Appends a frame of a client. Its mask is zero, which leaves the payload as it is: masks protect proxies, and
/// there is none.
pub fn append(to: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    head(to, opcode, MASKED, payload.len());
    to.extend_from_slice(&[0; 4]);
    to.extend_from_slice(payload);
}

/// Appends a frame of a server.
pub fn append_unmasked(to: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    head(to, opcode, 0, payload.len());
    to.extend_from_slice(payload);
}

fn head(to: &mut Vec<u8>, opcode: u8, masked: u8, length: usize) {
    to.push(FINAL | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ 0..126), _) => to.push(masked | length),
        (_, Ok(length)) => {
            to.push(masked | 126);
            to.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            to.push(masked | 127);
            to.extend_from_slice(&u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        append_unmasked(&mut bytes, TEXT, &vec![b'x'; length]);
        bytes
    }

    #[test]
    fn frames_of_every_length_are_split() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let mut bytes = frame(length);
            bytes.extend(b"next");
            let (frame, rest) = split(&bytes).unwrap().unwrap();
            assert_eq!((frame.opcode, frame.payload.len(), rest), (TEXT, length, &b"next"[..]));
        }
    }

    #[test]
    fn an_incomplete_frame_is_waited_for_at_every_byte() {
        for length in [5, 126, 65_536] {
            let bytes = frame(length);
            for end in (0..12).chain([bytes.len() - 1]) {
                assert_eq!(split(&bytes[..end.min(bytes.len() - 1)]).unwrap(), None);
            }
        }
    }

    #[test]
    fn what_no_server_may_send_is_refused() {
        assert!(split(&[0x01, 0]).is_err(), "a fragment");
        assert!(split(&[0xc1, 0]).is_err(), "an extension");
        assert!(split(&[0x81, 0x80, 0, 0, 0, 0]).is_err(), "a masked frame");
        assert!(split(&[0x82, 127, 1, 0, 0, 0, 0, 0, 0, 0]).is_err(), "a giant frame");
    }

    #[test]
    fn frames_of_a_client_are_masked() {
        let mut bytes = Vec::new();
        append(&mut bytes, PONG, b"hi");
        assert_eq!(bytes, [0x8a, 0x82, 0, 0, 0, 0, b'h', b'i']);
    }
}
