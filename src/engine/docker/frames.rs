//! Output of a process without a terminal: frames of a header of eight bytes (stream, three zeros, big-endian
//! length) and a payload. They are taken apart as they come, so that no more than a header is kept.

use crate::engine::{Channel, EngineError, EngineResult, ErrorKind, Piece};

/// A decoder; what it is fed may be cut anywhere.
#[derive(Default)]
pub(super) struct Frames {
    head: [u8; 8],
    /// Bytes of the header that are there.
    have: usize,
    /// Bytes of the payload that are still to come.
    left: usize,
    /// Whether something of the payload was handed on.
    begun: bool,
}

impl Frames {
    /// The pieces in some bytes.
    ///
    /// # Errors
    /// Where these are no frames.
    pub(super) fn feed(&mut self, mut bytes: &[u8], found: &mut impl Extend<Piece>) -> EngineResult<()> {
        while !bytes.is_empty() {
            if self.left == 0 {
                let (new, rest) = bytes.split_at(bytes.len().min(8 - self.have));
                self.head[self.have..self.have + new.len()].copy_from_slice(new);
                (self.have, bytes) = (self.have + new.len(), rest);
                if self.have < 8 {
                    return Ok(());
                }
                let [0..=3, 0, 0, 0, a, b, c, d] = self.head else {
                    return Err(broken("its output is no frames"));
                };
                self.left = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                (self.have, self.begun) = (0, false);
                continue;
            }
            let (payload, rest) = bytes.split_at(bytes.len().min(self.left));
            found.extend([Piece { from: self.channel(), first: !self.begun, bytes: payload.to_vec() }]);
            (self.left, self.begun, bytes) = (self.left - payload.len(), true, rest);
        }
        Ok(())
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// Where a frame is not complete.
    pub(super) fn end(&self) -> EngineResult<()> {
        match (self.have, self.left) {
            (0, 0) => Ok(()),
            _ => Err(broken("its output ended within a frame")),
        }
    }

    fn channel(&self) -> Channel {
        if self.head[0] < 2 { Channel::Stdout } else { Channel::Stderr }
    }
}

fn broken(words: &str) -> EngineError {
    EngineError::new(ErrorKind::Unreachable, 0, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        [&[stream, 0, 0, 0], &length[..], payload].concat()
    }

    /// What each stream wrote at once.
    fn joined(pieces: Vec<Piece>) -> Vec<(Channel, Vec<u8>)> {
        let mut all: Vec<(Channel, Vec<u8>)> = Vec::new();
        for piece in pieces {
            match all.last_mut().filter(|_| !piece.first) {
                Some((from, bytes)) => {
                    assert_eq!(*from, piece.from);
                    bytes.extend(piece.bytes);
                }
                None => all.push((piece.from, piece.bytes)),
            }
        }
        all
    }

    proptest! {
        #[test]
        fn any_cut_of_the_bytes_gives_the_same_frames(
            frames in prop::collection::vec((1u8..=2, prop::collection::vec(any::<u8>(), 0..40)), 0..8),
            cuts in prop::collection::vec(1usize..20, 0..40),
        ) {
            let bytes: Vec<u8> = frames.iter().flat_map(|(stream, payload)| frame(*stream, payload)).collect();
            let (mut decoder, mut found) = (Frames::default(), Vec::new());
            let mut rest = bytes.as_slice();
            for cut in cuts {
                let (now, later) = rest.split_at(rest.len().min(cut));
                decoder.feed(now, &mut found).expect("frames");
                rest = later;
            }
            decoder.feed(rest, &mut found).expect("frames");
            decoder.end().expect("complete");
            let channel = |stream: &u8| if *stream == 1 { Channel::Stdout } else { Channel::Stderr };
            let wanted: Vec<_> = frames
                .iter()
                .filter(|(_, payload)| !payload.is_empty())
                .map(|(stream, payload)| (channel(stream), payload.clone()))
                .collect();
            prop_assert_eq!(joined(found), wanted);
        }

        #[test]
        fn what_is_no_frame_is_an_error_wherever_it_is_cut(
            head in prop::array::uniform8(any::<u8>()), cut in 0usize..8,
        ) {
            prop_assume!(head[0] > 3 || head[1..4] != [0, 0, 0]);
            let (mut decoder, mut found) = (Frames::default(), Vec::new());
            let fed = decoder.feed(&head[..cut], &mut found).and_then(|()| decoder.feed(&head[cut..], &mut found));
            prop_assert!(fed.is_err() && found.is_empty());
        }
    }

    #[test]
    fn a_frame_of_four_gigabytes_is_handed_on_as_it_comes() {
        let (mut decoder, mut found) = (Frames::default(), Vec::new());
        decoder.feed(&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, b'a'], &mut found).expect("a frame");
        assert_eq!(found, [Piece { from: Channel::Stdout, first: true, bytes: b"a".to_vec() }]);
        assert!(decoder.end().is_err());
    }
}
