//! The form in which messages are stored and sent: epoch, offset and time, 8 bytes each, most
//! significant first, then the body.

use super::types::{Epoch, Publication};

/// Reads a message.
pub(super) fn read(stored: &[u8]) -> Option<(Epoch, Publication)> {
    let (epoch, rest) = stored.split_first_chunk()?;
    let (offset, rest) = rest.split_first_chunk()?;
    let (at_ms, body) = rest.split_first_chunk()?;
    let publication = Publication {
        offset: u64::from_be_bytes(*offset),
        at_ms: i64::from_be_bytes(*at_ms),
        body: body.to_vec().into(),
    };
    Some((Epoch(u64::from_be_bytes(*epoch)), publication))
}
