//! From pieces of a log to its lines. An Engine puts the time before everything that was written at once; of a line
//! that it keeps in parts (16 KiB each), before each part.

use crate::engine::{Channel, Piece};
use jiff::Timestamp;
use std::collections::VecDeque;

/// A longer line is cut.
const LONGEST: usize = 1 << 20;

/// A time is no longer.
const STAMP: usize = 40;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it was written.
    pub from: Channel,
    /// When, by the Engine's clock; `None` where it does not say.
    pub time: Option<Timestamp>,
    /// The line without its end.
    pub text: Vec<u8>,
}

/// What of a line was read.
#[derive(Default)]
struct Begun {
    /// What may be a time.
    stamp: Option<Vec<u8>>,
    time: Option<Timestamp>,
    text: Vec<u8>,
}

/// Cuts pieces into lines.
pub(super) struct Splitter {
    tty: bool,
    times: bool,
    channels: [Begun; 2],
}

impl Splitter {
    /// For a container with a terminal or without: with one, no piece says where something was written at once.
    pub(super) fn new(tty: bool) -> Self {
        let begun = || Begun { stamp: Some(Vec::new()), ..Begun::default() };
        Self { tty, times: true, channels: [begun(), begun()] }
    }

    /// For output that has no times.
    pub(super) fn without_times() -> Self {
        Self { tty: false, times: false, channels: [Begun::default(), Begun::default()] }
    }

    /// Adds a piece.
    pub(super) fn feed(&mut self, piece: &Piece, found: &mut VecDeque<Line>) {
        let begun = &mut self.channels[usize::from(piece.from == Channel::Stderr)];
        if piece.first && !self.tty && self.times {
            begun.stamp = Some(Vec::new());
        }
        let mut rest = piece.bytes.as_slice();
        while !rest.is_empty() {
            if let Some(stamp) = &mut begun.stamp {
                let end = rest.iter().position(|byte| matches!(byte, b' ' | b'\n'));
                let (new, after) = rest.split_at(end.unwrap_or(rest.len()).min(STAMP + 1 - stamp.len()));
                stamp.extend_from_slice(new);
                rest = after;
                if rest.is_empty() && stamp.len() <= STAMP {
                    break;
                }
                begun.stamped(rest.first() == Some(&b' '));
                if rest.first() == Some(&b' ') {
                    rest = &rest[1..];
                }
                continue;
            }
            let end = rest.iter().position(|byte| *byte == b'\n');
            let most = (LONGEST - begun.text.len().min(LONGEST)).min(rest.len());
            match end.filter(|end| *end <= most) {
                Some(end) => {
                    begun.text.extend_from_slice(&rest[..end]);
                    found.push_back(begun.line(piece.from, self.tty));
                    rest = &rest[end + 1..];
                    begun.stamp = self.tty.then(Vec::new);
                }
                None => {
                    begun.text.extend_from_slice(&rest[..most]);
                    rest = &rest[most..];
                    if begun.text.len() >= LONGEST {
                        found.push_back(begun.line(piece.from, self.tty));
                    }
                }
            }
        }
    }

    /// Nothing more comes: what has no end is a line as well.
    pub(super) fn end(&mut self, found: &mut VecDeque<Line>) {
        for (begun, from) in self.channels.iter_mut().zip([Channel::Stdout, Channel::Stderr]) {
            begun.stamped(false);
            if !begun.text.is_empty() {
                found.push_back(begun.line(from, self.tty));
            }
        }
    }
}

impl Begun {
    /// What stands before a space is a time, or the beginning of the text.
    fn stamped(&mut self, space: bool) {
        let Some(stamp) = self.stamp.take() else { return };
        let time = std::str::from_utf8(&stamp).ok().and_then(|text| text.parse::<Timestamp>().ok());
        match time.filter(|_| stamp.len() <= STAMP) {
            Some(time) => self.time = self.time.or(Some(time)),
            None => {
                self.text.extend_from_slice(&stamp);
                if space {
                    self.text.push(b' ');
                }
            }
        }
    }

    fn line(&mut self, from: Channel, tty: bool) -> Line {
        let mut text = std::mem::take(&mut self.text);
        if tty && text.last() == Some(&b'\r') {
            text.pop();
        }
        Line { from, time: self.time.take(), text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(tty: bool, pieces: &[(Channel, bool, &[u8])]) -> Vec<(Channel, Option<String>, String)> {
        let (mut splitter, mut found) = (Splitter::new(tty), VecDeque::new());
        for (from, first, bytes) in pieces {
            splitter.feed(&Piece { from: *from, first: *first, bytes: bytes.to_vec() }, &mut found);
        }
        splitter.end(&mut found);
        let time = |line: &Line| line.time.map(|time| time.to_string());
        found
            .iter()
            .map(|line| (line.from, time(line), String::from_utf8_lossy(&line.text).into_owned()))
            .collect()
    }

    const AT: &str = "2026-11-29T10:00:00.5Z";

    fn line(from: Channel, text: &str) -> (Channel, Option<String>, String) {
        (from, Some(AT.to_owned()), text.to_owned())
    }

    #[test]
    fn a_line_in_parts_has_its_first_time_and_none_within() {
        use Channel::{Stderr, Stdout};
        let (one, two) = (format!("{AT} aaa"), "2026-11-29T10:00:01Z bbb\n".to_owned());
        let other = format!("{AT} err\n");
        let found = split(
            false,
            &[
                (Stdout, true, one.as_bytes()),
                (Stderr, true, other.as_bytes()),
                (Stdout, true, two.as_bytes()),
            ],
        );
        assert_eq!(found, [line(Stderr, "err"), line(Stdout, "aaabbb")]);
    }

    #[test]
    fn a_terminal_has_a_time_before_each_line_and_ends_them_in_its_own_way() {
        let text = format!("{AT} one\r\n{AT} 2026-11-29T09:00:00Z two\r\n{AT} \r\n{AT} half");
        let found = split(true, &[(Channel::Stdout, true, text.as_bytes())]);
        let texts = ["one", "2026-11-29T09:00:00Z two", "", "half"];
        assert_eq!(found, texts.map(|text| line(Channel::Stdout, text)));
    }

    #[test]
    fn what_has_no_time_is_text() {
        let found = split(false, &[(Channel::Stdout, true, b"no time here\nnone\n\nx")]);
        let text = |text: &str| (Channel::Stdout, None, text.to_owned());
        assert_eq!(found, ["no time here", "none", "", "x"].map(text));
    }

    #[test]
    fn a_line_without_an_end_is_cut_and_not_kept() {
        let long = vec![b'x'; 3 * LONGEST + 5];
        let found = split(
            false,
            &[
                (Channel::Stdout, true, AT.as_bytes()),
                (Channel::Stdout, false, b" "),
                (Channel::Stdout, false, &long),
            ],
        );
        assert_eq!(
            found.iter().map(|(.., text)| text.len()).collect::<Vec<_>>(),
            [LONGEST, LONGEST, LONGEST, 5]
        );
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_they_are_cut(
            texts in prop::collection::vec("[a-z 0-9:\u{e9}-]{0,60}", 1..6), cuts in prop::collection::vec(1usize..30, 0..30),
        ) {
            let text: String = texts.iter().map(|text| format!("{AT} {text}\n")).collect();
            let mut pieces: Vec<(Channel, bool, &[u8])> = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts {
                let (now, later) = rest.split_at(rest.len().min(cut));
                pieces.push((Channel::Stdout, pieces.is_empty(), now));
                rest = later;
            }
            pieces.push((Channel::Stdout, pieces.is_empty(), rest));
            let wanted: Vec<_> = texts.iter().map(|text| line(Channel::Stdout, text)).collect();
            prop_assert_eq!(split(true, &pieces), wanted);
        }
    }
}
