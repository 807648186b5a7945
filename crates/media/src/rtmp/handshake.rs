//! The handshake (RTMP 1.0 §5.2), plain: the peer's random bytes are echoed, which all encoders take.

use bytes::{Buf, BufMut, BytesMut};

use super::error::SessionError;

const VERSION: u8 = 3;
/// C1, C2 and what answers them.
const BLOCK: usize = 1536;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handshake {
    /// C0 and C1 are to come.
    Hello,
    /// C2 is to come.
    Echo,
    Done,
}

impl Handshake {
    /// Goes on as far as the bytes reach; true when it is done.
    pub(super) fn advance(&mut self, input: &mut BytesMut, out: &mut BytesMut) -> Result<bool, SessionError> {
        if *self == Self::Hello {
            if input.first().is_some_and(|version| *version != VERSION) {
                return Err(SessionError::Version);
            }
            if input.len() < 1 + BLOCK {
                return Ok(false);
            }
            input.advance(1);
            let hello = input.split_to(BLOCK);
            out.put_u8(VERSION);
            // S1: time 0, version 0, then bytes that nobody checks.
            out.put_u64(0);
            out.put_bytes(0x5a, BLOCK - 8);
            out.put_slice(&hello);
            *self = Self::Echo;
        }
        if *self == Self::Echo && input.len() >= BLOCK {
            input.advance(BLOCK);
            *self = Self::Done;
        }
        Ok(*self == Self::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peers_bytes_are_echoed() {
        let (mut handshake, mut out) = (Handshake::Hello, BytesMut::new());
        let mut input = BytesMut::from(&[VERSION][..]);
        assert!(!handshake.advance(&mut input, &mut out).unwrap());
        assert!(out.is_empty());
        input.extend_from_slice(&[8; BLOCK]);
        assert!(!handshake.advance(&mut input, &mut out).unwrap());
        assert_eq!((out.len(), &out[1 + BLOCK..]), (1 + 2 * BLOCK, &[8; BLOCK][..]));
        input.extend_from_slice(&[9; BLOCK + 5]);
        assert!(handshake.advance(&mut input, &mut out).unwrap());
        assert_eq!(input.len(), 5);
    }

    #[test]
    fn another_protocol_is_refused_by_its_first_byte() {
        let mut input = BytesMut::from(&b"G"[..]);
        let refused = Handshake::Hello.advance(&mut input, &mut BytesMut::new());
        assert_eq!(refused, Err(SessionError::Version));
    }
}
