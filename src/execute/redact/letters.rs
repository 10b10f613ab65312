//! Some characters of a few lines, one behind the other, and where each of them stands.

use std::ops::Range;
use zeroize::Zeroizing;

/// The characters that count.
pub(super) struct Letters {
    all: Zeroizing<Vec<u8>>,
    /// Line and byte of each.
    places: Vec<(usize, usize)>,
    /// Rows of a dump: one byte of a secret hides all of it, for its characters stand there as well.
    rows: Vec<Option<Range<usize>>>,
}

/// What is looked for of a form: blanks and backslashes may have come in, or be more than they were.
pub(super) fn of(text: &str) -> Vec<u8> {
    text.bytes().filter(|byte| counts(*byte)).collect()
}

fn counts(byte: u8) -> bool {
    byte != b'\\' && !byte.is_ascii_whitespace()
}

impl Letters {
    /// All but blanks and backslashes.
    pub(super) fn of_text<T: AsRef<str>>(lines: &[T]) -> Self {
        let mut letters = Self::none(lines.len());
        for (number, line) in lines.iter().enumerate() {
            letters.add(number, 0, line.as_ref(), counts);
        }
        letters
    }

    /// Hexadecimal digits, in lower case; of a row of a dump those that stand for its bytes.
    pub(super) fn of_hex<T: AsRef<str>>(lines: &[T]) -> Self {
        let mut letters = Self::none(lines.len());
        for (number, line) in lines.iter().enumerate() {
            let line = line.as_ref();
            let bytes = dump(line).unwrap_or(0..line.len());
            letters.add(number, bytes.start, &line[bytes.clone()], |byte| byte.is_ascii_hexdigit());
            if bytes.len() < line.len() {
                letters.rows[number] = Some(0..line.len());
            }
        }
        letters.all.make_ascii_lowercase();
        letters
    }

    fn none(lines: usize) -> Self {
        Self { all: Zeroizing::default(), places: Vec::new(), rows: vec![None; lines] }
    }

    fn add(&mut self, line: usize, start: usize, text: &str, counts: impl Fn(u8) -> bool) {
        for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| counts(*byte)) {
            self.all.push(byte);
            self.places.push((line, start + at));
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> &[u8] {
        &self.all
    }

    /// Where those stand that are marked: from the first to the last of a run, with what is between them.
    pub(super) fn hide(&self, marked: &[bool], hidden: &mut [Vec<Range<usize>>]) {
        let mut open: Option<(usize, Range<usize>)> = None;
        for ((line, at), marked) in self.places.iter().zip(marked) {
            let goes_on = open.as_ref().is_some_and(|(of, _)| of == line) && *marked;
            match &mut open {
                Some((_, range)) if goes_on => range.end = at + 1,
                _ => {
                    self.close(open.take(), hidden);
                    open = marked.then(|| (*line, *at..at + 1));
                }
            }
        }
        self.close(open, hidden);
    }

    fn close(&self, run: Option<(usize, Range<usize>)>, hidden: &mut [Vec<Range<usize>>]) {
        let Some((line, range)) = run else { return };
        hidden[line].push(self.rows[line].clone().unwrap_or(range));
    }
}

/// Where the bytes stand in a row of `hexdump -C` or `xxd`: behind the address, before the characters.
fn dump(line: &str) -> Option<Range<usize>> {
    let start = line.bytes().position(|byte| !byte.is_ascii_hexdigit()).filter(|digits| *digits >= 4)?;
    let start = if line[start..].starts_with(':') { start + 1 } else { start };
    let (mut end, mut digits) = (start, 0);
    for part in line[start..].split_inclusive(' ') {
        let bytes = part.trim_end();
        let is_bytes = matches!(bytes.len(), 0 | 2 | 4) && bytes.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_bytes || digits + bytes.len() > 32 || !line[start..].starts_with(' ') {
            break;
        }
        digits += bytes.len();
        end += part.len();
    }
    (digits > 0 && end > start).then_some(start..end)
}
