//! Requests that ask for an upgrade which nobody here takes: h2c of Java's client, and whatever passes a proxy that
//! sends `Connection: upgrade` with every request.
//!
//! A server may ignore the wish (RFC 9110 section 7.8) and go on. The codec of actix-http would end the connection
//! after the answer; it does not when the option is not there.

/// Blanks the option `upgrade` in the `Connection` headers of the request head that begins `chunk`. Leaves alone a
/// head that asks for a WebSocket, and one that is not whole.
pub(super) fn blank(chunk: &mut [u8]) {
    let (mut is_asked, mut is_whole) = (false, false);
    for line in chunk.split_inclusive(is_newline).skip(1) {
        if !line.ends_with(b"\n") {
            return;
        }
        match header(line) {
            None if line.trim_ascii().is_empty() => {
                is_whole = true;
                break;
            }
            None => {}
            Some((name, value)) if is_websocket(name, value) => return,
            Some((name, value)) => is_asked |= is_connection(name) && value.split(is_comma).any(is_upgrade),
        }
    }
    // The rest of one that is not whole may ask for a WebSocket.
    if !(is_asked && is_whole) {
        return;
    }
    for line in chunk.split_inclusive_mut(is_newline).skip(1) {
        let Some((name, _)) = header(line) else {
            if line.trim_ascii().is_empty() {
                return;
            }
            continue;
        };
        let value_at = name.len();
        if !is_connection(name) {
            continue;
        }
        let value = line.get_mut(value_at + 1..).unwrap_or_default();
        for option in value.split_mut(is_comma).filter(|option| is_upgrade(option)) {
            option.iter_mut().filter(|byte| !byte.is_ascii_whitespace()).for_each(|byte| *byte = b' ');
        }
    }
}

/// The name and the value of a header's line.
fn header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    Some((name, value.get(1..)?))
}

fn is_websocket(name: &[u8], value: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"upgrade") && value.trim_ascii().eq_ignore_ascii_case(b"websocket")
}

fn is_connection(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"connection")
}

fn is_upgrade(option: &[u8]) -> bool {
    option.trim_ascii().eq_ignore_ascii_case(b"upgrade")
}

fn is_newline(byte: &u8) -> bool {
    *byte == b'\n'
}

fn is_comma(byte: &u8) -> bool {
    *byte == b','
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanked(head: &str) -> String {
        let mut bytes = head.as_bytes().to_vec();
        blank(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn the_option_is_blanked_and_nothing_else() {
        for (head, wanted) in [
            (
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nConnection:        \r\n\r\n",
            ),
            (
                "POST / HTTP/1.1\r\nconnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\nConnection: upgrade\r\n",
                "POST / HTTP/1.1\r\nconnection:        , HTTP2-Settings\r\nUpgrade: h2c\r\n\r\nConnection: upgrade\r\n",
            ),
            (
                "GET / HTTP/1.1\nCONNECTION:keep-alive,UPGRADE\nConnection: upgrade\n\nConnection: upgrade\n",
                "GET / HTTP/1.1\nCONNECTION:keep-alive,       \nConnection:        \n\nConnection: upgrade\n",
            ),
        ] {
            assert_eq!(blanked(head), wanted);
        }
    }

    #[test]
    fn other_heads_are_left_alone() {
        for head in [
            "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n",
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            // The rest may ask for a WebSocket.
            "GET / HTTP/1.1\r\nConnection: upgrade\r\n",
            "GET / HTTP/1.1\r\nConnection: upgrade\r\n\r",
            "GET / HTTP/1.1\r\nConnection: upgrades, no-upgrade, up grade\r\n\r\n",
            "GET / HTTP/1.1\r\nX-Connection: upgrade\r\nVia: upgrade\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\nConnection: upgrade\r\n\r\n",
            "Connection: upgrade\r\n\r\n",
            "",
        ] {
            assert_eq!(blanked(head), head);
        }
    }
}
