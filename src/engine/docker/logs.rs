//! Container logs: frames of a header of eight bytes (stream, three zeros, length) and a payload, or
//! raw bytes where the container has a terminal.

/// Lines of both streams, in the order in which they came.
pub(super) fn lines(bytes: &[u8]) -> Vec<String> {
    let plain = payloads(bytes).unwrap_or_else(|| bytes.to_vec());
    let text = String::from_utf8_lossy(&plain);
    text.lines().map(str::to_owned).collect()
}

/// Payloads of all frames; `None` where these are no frames.
fn payloads(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at_checked(8)?;
        let [0..=3, 0, 0, 0, a, b, c, d] = *head else { return None };
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
        // A connection that ended within a frame: what came of it is shown.
        let (payload, rest) = rest.split_at(length.min(rest.len()));
        out.extend_from_slice(payload);
        bytes = rest;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_both_streams_are_joined_in_order() {
        let mut bytes = b"\x01\0\0\0\0\0\0\x04one\n".to_vec();
        bytes.extend_from_slice(b"\x02\0\0\0\0\0\0\x03two");
        bytes.extend_from_slice(b"\x02\0\0\0\0\0\0\x14 halves\ncut");
        assert_eq!(lines(&bytes), ["one", "two halves", "cut"]);
    }

    #[test]
    fn a_terminal_has_no_frames() {
        assert_eq!(lines(b"one\r\ntwo\n"), ["one", "two"]);
        assert!(lines(b"").is_empty());
    }
}
