//! What the header of a WebSocket frame announces (RFC 6455 section 5.2), read before the payload is there: the
//! codec looks at the length only once it has the whole frame in memory.

/// Bytes that the payload of a control frame may have (RFC 6455 section 5.5).
const MAX_CONTROL: u64 = 125;

/// Whether the frame that begins in `buffer` announces more than it may have: a control frame more than 125 bytes,
/// another more than `left`. False while the header is not whole.
pub(super) fn is_over(buffer: &[u8], left: usize) -> bool {
    let Some((&[first, second], rest)) = buffer.split_first_chunk() else { return false };
    let length = match second & 0x7f {
        126 => rest.first_chunk().map(|bytes| u64::from(u16::from_be_bytes(*bytes))),
        127 => rest.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)),
        length => Some(length.into()),
    };
    let is_control = first & 0x08 != 0;
    let most = if is_control { MAX_CONTROL } else { u64::try_from(left).unwrap_or(u64::MAX) };
    length.is_some_and(|length| length > most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_enough_to_refuse_a_frame() {
        let tib = [0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0];
        assert!(is_over(&tib, 16 * 1024));
        assert!(!is_over(tib.get(..9).unwrap_or_default(), 16 * 1024), "the length is not there yet");
        assert!(is_over(&[0x81, 0xfe, 0x40, 0x01], 16 * 1024));
        assert!(!is_over(&[0x81, 0xfe, 0x40, 0x00], 16 * 1024), "as much as it may have");
        assert!(!is_over(&[0x81, 0xfd], 125) && is_over(&[0x81, 0xfd], 124));
        assert!(is_over(&[0x80, 0x85], 4), "a part counts with those before it");
        for control in [0x88, 0x89, 0x8a] {
            assert!(is_over(&[control, 0xfe, 0, 126], 16 * 1024), "{control:x}");
            assert!(!is_over(&[control, 0xfd], 0), "{control:x}");
        }
        for partial in [&[][..], &[0x81], &[0x81, 0xfe], &[0x81, 0xfe, 0xff]] {
            assert!(!is_over(partial, 0), "{partial:?}");
        }
    }
}
