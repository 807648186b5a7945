//! WebSocket frames (RFC 6455) that the server sends, encoded once and shared by all receivers.

use actix_http::ws::{CloseCode, CloseReason, OpCode, Parser};
use bytes::{Bytes, BytesMut};

/// Bytes that a frame's header takes at most.
const HEADER: usize = 10;

/// A text message.
#[must_use]
pub fn text(payload: &str) -> Bytes {
    encode(payload.as_bytes(), OpCode::Text)
}

/// A binary message.
#[must_use]
pub fn binary(payload: &[u8]) -> Bytes {
    encode(payload, OpCode::Binary)
}

/// A question whether the peer is there.
#[must_use]
pub fn ping() -> Bytes {
    encode(&[], OpCode::Ping)
}

/// The answer to a ping, with its payload.
#[must_use]
pub fn pong(payload: &[u8]) -> Bytes {
    encode(payload, OpCode::Pong)
}

/// The end of a connection, with a code and a reason (at most 123 bytes).
#[must_use]
pub fn close(code: u16, reason: &str) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEADER + 2 + reason.len());
    let reason = CloseReason { code: CloseCode::from(code), description: Some(reason.to_owned()) };
    Parser::write_close(&mut frame, Some(reason), false);
    frame.freeze()
}

fn encode(payload: &[u8], opcode: OpCode) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEADER + payload.len());
    Parser::write_message(&mut frame, payload, opcode, true, false);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_unmasked_and_whole() {
        assert_eq!(text("hi").as_ref(), b"\x81\x02hi");
        assert_eq!(binary(&[7]).as_ref(), b"\x82\x01\x07");
        assert_eq!(ping().as_ref(), b"\x89\x00");
        assert_eq!(pong(b"x").as_ref(), b"\x8a\x01x");
        assert_eq!(close(3008, "slow").as_ref(), b"\x88\x06\x0b\xc0slow");
        let long = text(&"x".repeat(70_000));
        assert_eq!(long.get(..10), Some(&b"\x81\x7f\0\0\0\0\0\x01\x11\x70"[..]));
    }
}
